import { describe, expect, test } from 'vitest';
import { kindOf, resolve, type Said, standings } from '../../../gateway/store/resolve.ts';

const said = (source: string, cls: number, trust: number, at: number): Said => ({
  ...{ source, cls, trust, at, withdrawnAt: null },
});
const button = said('device', 1, 0.9, 10);
const counts = (...labels: Said[]) => resolve(labels)?.cls ?? null;

describe('resolve()', () => {
  test('takes the only label as it is, and none as null', () => {
    expect(resolve([])).toBe(null);
    expect(resolve([button])).toEqual({
      ...{ cls: 1, source: 'device', trust: 0.9, at: 10, firstAt: 10, contradicted: false },
    });
  });

  test('a person corrects a button that was pressed by mistake', () => {
    expect(resolve([button, said('person', 2, 1, 20)])).toEqual({
      ...{ cls: 2, source: 'person', trust: 1, at: 20, firstAt: 10, contradicted: true },
    });
  });

  test('what a source says later replaces what it said, and contradicts nothing', () => {
    const labels = [said('person', 2, 1, 20), said('person', 3, 0.4, 30)];
    expect(resolve(labels)).toMatchObject({ cls: 3, trust: 0.4, firstAt: 20, contradicted: false });
  });

  test('of two equally trusted persons the one who spoke last counts, in whatever order they came', () => {
    const ann = said('person:ann', 2, 1, 20);
    const bob = said('person:bob', 3, 1, 30);
    expect(counts(ann, bob)).toBe(3);
    expect(counts(bob, ann)).toBe(3);
    expect(counts(bob, said('person:ann', 2, 1, 30))).toBe(2);
  });

  test('two of less trust outvote one of more when their sum is greater', () => {
    const person = said('person', 3, 1, 40);
    expect(counts(button, said('delayed', 1, 0.95, 20), person)).toBe(1);
    expect(counts(said('device', 1, 0.4, 10), said('delayed', 1, 0.5, 20), person)).toBe(3);
  });

  test('sums that differ by rounding alone are a tie', () => {
    const early = [said('person:a', 1, 0.1, 1), said('person:b', 1, 0.2, 2)];
    expect(counts(...early, said('person:c', 2, 0.3, 3))).toBe(2);
  });

  test('teachers never outvote people, however many they are', () => {
    const teachers = [1, 2, 3].map((n) => said(`teacher:t${n}`, 4, 0.9, 100 + n));
    expect(resolve([...teachers, said('person', 2, 0.1, 5)])).toMatchObject({
      ...{ cls: 2, contradicted: true, firstAt: 5 },
    });
    expect(counts(...teachers, said('teacher:t4', 5, 1, 200))).toBe(4);
  });

  test('a pin decides until it is withdrawn', () => {
    const pin = said('must-pass', 1, 1, 10);
    const others = [said('person', 2, 1, 20), said('person:bob', 2, 1, 30)];
    expect(resolve([pin, ...others])).toMatchObject({ cls: 1, source: 'must-pass' });
    expect(counts({ ...pin, withdrawnAt: 40 }, ...others)).toBe(2);
  });

  test('a withdrawn correction leaves what was said before it', () => {
    const first = said('person', 2, 1, 20);
    const slip = { ...said('person', 3, 1, 30), withdrawnAt: 40 };
    expect(counts(first, slip)).toBe(2);
    expect(counts({ ...first, withdrawnAt: 40 }, slip)).toBe(null);
  });
});

describe('standings()', () => {
  test('says of each label what became of it', () => {
    const labels = [
      button,
      said('person', 3, 1, 20),
      said('person', 2, 1, 30),
      { ...said('delayed', 2, 1, 40), withdrawnAt: 50 },
    ];
    expect(standings(labels)).toEqual(['outvoted', 'replaced', 'counts', 'withdrawn']);
  });
});

describe('kindOf()', () => {
  test('is what stands before the colon, or all of it', () => {
    expect([kindOf('teacher:a:b'), kindOf('person')]).toEqual(['teacher', 'person']);
  });
});
