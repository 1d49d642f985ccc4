import { describe, expect, it } from 'vitest';
import type { GatewayEvent } from '../../../gateway/calls.ts';
import {
  clock,
  inOne,
  refusal,
  sentence,
  shortVersion,
  tellsNews,
  toneOf,
} from '../../../gateway/ui/words.ts';

const event = (kind: string, subject: string, data: GatewayEvent['data'] = {}): GatewayEvent => ({
  id: 1,
  at: 0,
  kind,
  subject,
  data,
});
const version = 'ab12cd34'.repeat(8);

describe('sentence()', () => {
  it.each<[string, string, GatewayEvent['data'], string]>([
    ['device.wearer', 'watch-3', { wearer: 'Bert' }, 'watch-3 changed wearer to Bert (simulated)'],
    ['device.event', 'a', { code: 1, a: 7, b: 3 }, 'a dropped 3 windows in this session'],
    [
      'device.event',
      'a',
      { code: 2, a: 1, b: 0 },
      'a got 1 bad frames since it started: damaged, forged or repeated',
    ],
    [
      'rollout.done',
      'r1',
      { version, scope: 'fleet', reason: '1 of 4 devices confirmed it' },
      'update vab12cd34 for fleet is done: 1 of 4 devices confirmed it',
    ],
    ['token.signedin', 'ab', { name: 'ann', count: 1 }, 'ann signed in'],
    ['token.signedin', 'ab', { name: 'ann', count: 7 }, 'ann signed in 7 times'],
    ['token.refused', '10.0.0.9', { count: 40, unknown: 40 }, '40 wrong tokens from 10.0.0.9'],
    ['device.event', 'a', { code: 4, a: 2950, b: 0 }, 'a: battery at 2950 mV'],
    ['device.event', 'a', { code: 99, a: 1, b: 2 }, 'a reports event 99: 1, 2'],
    ['accuracy.changed', 'watch-3', { from: 0.97, to: 0.3125 }, 'watch-3: accuracy 0.97 → 0.31'],
    ['alarm.raised', 'watch-3', { message: 'it fell' }, 'ALARM watch-3: it fell'],
    [
      'alarm.raised',
      'watch-3',
      { what: 'features', message: 'what it measures moved', silencedUntil: 9 },
      'ALARM watch-3: what it measures moved (silenced)',
    ],
    [
      'alarm.explained',
      'watch-3',
      { what: 'sensor', message: 'sick sensor: y is stuck' },
      'ALARM watch-3: sick sensor: y is stuck; nothing is trained on that',
    ],
    [
      'alarm.group',
      'fleet',
      { devices: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] },
      'ALARM fleet, 7 devices together: a, b, c, d, e and 2 more',
    ],
    [
      'alarm.group',
      'a',
      { devices: ['a', 'b'], silenced: true },
      'ALARM 2 devices together: a, b (silenced)',
    ],
    ['alarm.silenced', 'fleet', { what: 'sensor' }, 'sensor alarms of fleet are silenced'],
    ['alarm.unsilenced', 'watch-1', { what: null }, 'all alarms of watch-1 are told again'],
    [
      'alarm.ended',
      'watch-3',
      { what: 'sensor', reason: 'its sensor measures again' },
      'alarm of watch-3 is over: its sensor measures again',
    ],
    [
      'alarm.raised',
      'watch-3',
      { what: 'accuracy', before: 0.97, after: 0.3125, windows: 12 },
      'ALARM watch-3: accuracy 0.97 → 0.31 on 12 windows',
    ],
    [
      'alarm.raised',
      'watch-3',
      { what: 'score', before: 72, after: 20, windows: 15 },
      'ALARM watch-3: less sure of itself, margin 4.5 → 1.3 on 15 windows',
    ],
    [
      'alarm.ended',
      'watch-3',
      { what: 'score', reason: 'back to normal', since: new Date(2026, 4, 3, 9, 5).getTime() },
      'alarm of watch-3 is over: back to normal since 09:05',
    ],
    [
      'alarm.ended',
      'watch-3',
      { what: 'score', release: 4 },
      'alarm of watch-3 is over: release 4 is confirmed',
    ],
    [
      'alarm.ended',
      'watch-3',
      { accuracy: 0.953 },
      'alarm of watch-3 is over: accuracy back to 0.95',
    ],
    ['label.added', 'watch-3', { have: 5, want: 24 }, 'label 5/24 for watch-3'],
    ['label.added', 'watch-3', { count: 3 }, '3 labels for watch-3'],
    ['label.added', 'watch-3', {}, '1 label for watch-3'],
    [
      'label.withdrawn',
      'w',
      { sample: 'w/7:1', count: 2, source: 'person' },
      '2 label(s) of w/7:1 withdrawn by person',
    ],
    [
      'label.imported',
      'delayed',
      { added: 40, known: 2, refused: 1 },
      "40 labels came from 'delayed' (2 known already, 1 lines refused)",
    ],
    [
      'label.asked',
      'device:w',
      { who: 'person', samples: ['w/7:1', 'w/7:2', 'w/7:3', 'w/7:4'] },
      'what were these? asked for device:w: w/7:1, w/7:2, w/7:3 and 1 more',
    ],
    [
      'label.gone',
      'w',
      { sample: 'w/7:1' },
      'w no longer holds the raw window w/7:1, which was asked for',
    ],
    [
      'label.untaught',
      'teacher:big',
      { reason: 'no memory' },
      'teacher:big gives no labels: no memory',
    ],
    [
      'train.finished',
      'fleet',
      { scope: 'device:watch-3', rung: 'head', trainMs: 41 },
      'trained for device:watch-3 (head, 41 ms)',
    ],
    [
      'rollout.device',
      'watch-3',
      { version, state: 'self-test equal', wireBytes: 414 },
      'update vab12cd34 → watch-3: self-test equal, 414 bytes on the wire',
    ],
    [
      'gate.refused',
      'fleet',
      { reason: 'better: champion 7 of 9 right, candidate 7' },
      'gate: nothing new for fleet: not better: champion 7 of 9 right, candidate 7',
    ],
  ])('tells %s of %s with %o', (kind, subject, data, expected) => {
    expect(sentence(event(kind, subject, data))).toBe(expected);
  });

  it('tells a kind that it does not know with everything it holds', () => {
    expect(sentence(event('battery.low', 'watch-1', { percent: 4, at: [1, 2] }))).toBe(
      'battery.low watch-1 (percent 4, at [1,2])',
    );
    expect(sentence(event('toString', 'x'))).toBe('toString x');
  });
});

describe('refusal()', () => {
  it('turns the name of the first check only', () => {
    const reasons = ['better: a', 'int8: b; better: c', 'betterment: d'];
    expect(reasons.map(refusal)).toEqual(['not better: a', 'int8: b; better: c', 'betterment: d']);
  });
});

const label = (subject: string, have: number) => event('label.added', subject, { have, want: 3 });

describe('tellsNews()', () => {
  it('lets the first label through and the one that makes them enough', () => {
    const isNews = tellsNews();
    const told = [1, 2, 3, 4, 5].filter((have) => isNews(label('watch-1', have)));
    expect(told).toEqual([1, 3]);
    expect(isNews(label('watch-2', 9))).toBe(true);
    expect(isNews(label('watch-2', 10))).toBe(false);
  });

  it('begins anew when something else happens to the device', () => {
    const isNews = tellsNews();
    const news = () => [isNews(label('watch-1', 8)), isNews(label('watch-1', 9))];
    expect(news()).toEqual([true, false]);
    expect(isNews(event('alarm.raised', 'watch-2'))).toBe(true);
    expect(isNews(event('rollout.done', 'r1', { scope: 'device:watch-2' }))).toBe(true);
    expect(news()).toEqual([false, false]);
    for (const [subject, scope] of [
      ['watch-1', 'any'],
      ['r1', 'device:watch-1'],
      ['device:watch-1', ''],
      ['r1', 'fleet'],
    ]) {
      isNews(event('train.started', subject, { scope }));
      expect(news()).toEqual([true, false]);
    }
  });
});

describe('inOne()', () => {
  it('counts labels of one device on', () => {
    const two = inOne(label('watch-3', 1), { ...label('watch-3', 2), at: 9, id: 7 });
    expect(two).toMatchObject({ at: 0, id: 7 });
    expect(sentence(two!)).toBe('labels 1 … 2/3 for watch-3');
    expect(sentence(inOne(two!, label('watch-3', 18))!)).toBe('labels 1 … 18 for watch-3');
    const bare = event('label.added', 'watch-3');
    expect(sentence(inOne(inOne(bare, bare)!, bare)!)).toBe('3 labels for watch-3');
  });

  it('gives undefined for two devices, other events and a count that began anew', () => {
    expect(inOne(label('watch-3', 1), label('watch-4', 2))).toBe(undefined);
    expect(inOne(event('alarm.raised', 'watch-3'), label('watch-3', 2))).toBe(undefined);
    expect(inOne(label('watch-3', 5), label('watch-3', 1))).toBe(undefined);
  });
});

describe('toneOf()', () => {
  it('tells bad news from good', () => {
    expect(toneOf(event('alarm.raised', 'x'))).toBe('bad');
    expect(toneOf({ ...event('alarm.raised', 'x'), data: { silencedUntil: 9 } })).toBe('plain');
    expect(toneOf(event('rollout.done', 'x'))).toBe('good');
    expect(toneOf(event('device.seen', 'x'))).toBe('plain');
  });
});

describe('clock()', () => {
  it('gives minutes and seconds, and hours when there are any', () => {
    expect([-5, 0, 62_900, 3_599_999, 3_723_000].map(clock)).toEqual([
      '00:00',
      '00:00',
      '01:02',
      '59:59',
      '1:02:03',
    ]);
  });
});

describe('shortVersion()', () => {
  it('shortens versions only', () => {
    expect(['3f2a9c41d0', 'watch-1', 'cafe'].map(shortVersion)).toEqual([
      'v3f2a9c41',
      'watch-1',
      'cafe',
    ]);
  });
});
