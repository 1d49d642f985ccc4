import { describe, expect, test } from 'vitest';
import { type Alarm, alarmText } from '../../../gateway/monitor/alarm.ts';
import { alarmGroups, scopeOf } from '../../../gateway/monitor/alarm-groups.ts';

const alarm = (device: string, at: number, what: Alarm['what'] = 'score'): Alarm => ({
  ...{ device, what, at, release: 3, since: at - 100, before: 60, after: 20, evidence: 1e5 },
  ...{ windows: 12, where: [], reason: null, count: 1, also: [], lastAt: at, raisedAs: null },
});

describe('alarmGroups()', () => {
  test('add() keeps sensors apart from drift, and names a device once', () => {
    const groups = alarmGroups(1000);
    expect(groups.add(alarm('w1', 0))).toBe(1);
    expect(groups.add(alarm('w2', 500, 'features'))).toBe(2);
    expect(groups.add(alarm('w3', 600, 'sensor'))).toBe(1);
    expect(groups.add(alarm('w2', 700, 'classes'))).toBe(2);
    expect(groups.add(alarm('w4', 1000))).toBe(1);
    expect(groups.complete(999)).toEqual([]);
    expect(groups.complete(1600).map(({ devices, since }) => [devices, since])).toEqual([
      [['w1', 'w2'], -100],
      [['w3'], 500],
    ]);
  });

  test('state() carries open groups over a restart', () => {
    const groups = alarmGroups(1000);
    groups.add(alarm('w1', 0));
    const again = alarmGroups(1000, JSON.parse(JSON.stringify(groups.state())));
    expect(again.add(alarm('w2', 999))).toBe(2);
    expect(groups.add(alarm('w2', 999))).toBe(2);
    expect(again.complete(1000)).toEqual(groups.complete(1000));
  });
});

describe('scopeOf()', () => {
  const devices = ['a', 'b', 'c', 'd', 'e', 'f'];
  const cohortOf = (id: string) => (id < 'd' ? 'left' : null);
  test.each([
    [['a'], 'a'],
    [['a', 'b', 'd', 'e'], 'fleet'],
    [['a', 'b', 'd'], 'a'],
    [['b', 'c'], 'cohort:left'],
    [['d', 'e'], 'd'],
  ])('of %j is %s', (some, scope) => {
    expect(scopeOf(some, { devices, cohortOf })).toBe(scope);
  });
});

describe('alarmText()', () => {
  const base = alarm('w1', 0);
  test.each([
    [{ ...base }, 'less sure of itself on 12 windows'],
    [
      { ...base, what: 'features' as const, where: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] },
      'what it measures moved: a, b, c, d, e and 2 more; the surest 60.0 → 20.0',
    ],
    [
      { ...base, what: 'classes' as const, where: ['run'], before: 0.2, after: 1 },
      "says 'run' in 1.00 instead of 0.20 of the windows, on 12",
    ],
    [{ ...base, what: 'sensor' as const, reason: 'y is stuck' }, 'sick sensor: y is stuck'],
  ])('says %#', (one, text) => {
    expect(alarmText(one)).toBe(text);
  });
});
