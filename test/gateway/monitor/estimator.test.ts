import { describe, expect, test } from 'vitest';
import { calibrator, fromFleet } from '../../../gateway/monitor/calibrator.ts';
import { type Estimator, estimator, together } from '../../../gateway/monitor/estimator.ts';
import { mulberry, scores } from './streams.ts';

/** Probability of being right at a score: what no estimator is told. */
type Truth = (score: number) => number;

const truths: Record<string, Truth> = {
  'as the score claims': (score) => 1 / (1 + Math.exp(-score / 16)),
  'three times as sure as it may be': (score) => 1 / (1 + Math.exp(-score / 48)),
  'with lapses at any score': (score) => 0.9 / (1 + Math.exp(-score / 16)),
  'steep, with its threshold elsewhere': (score) => 1 / (1 + Math.exp(-(score - 30) / 6)),
  'the same at every score': () => 0.8,
};

function fed(truth: Truth, labels: number, seed: number) {
  const random = mulberry(seed);
  const next = scores(random, 55, 25);
  const one = estimator(calibrator().state());
  const learn = (n: number, of: Truth = truth) => {
    for (let i = 0; i < n; i++) {
      const score = next();
      one.label(score, random() < of(score));
    }
  };
  /** @returns share that is right, of windows that nobody labels */
  const see = (n: number, of: Truth = truth): number => {
    let right = 0;
    for (let i = 0; i < n; i++) {
      const score = next();
      one.window(score);
      right += Number(random() < of(score));
    }
    return right / n;
  };
  learn(labels);
  return { one, learn, see };
}

describe('estimator()', () => {
  describe.each(Object.entries(truths))('where a device is right %s', (_, truth) => {
    test.each([10, 40, 200])('estimate() holds the truth in 92 of 100 streams, %i labels', (n) => {
      let held = 0;
      let width = 0;
      for (let seed = 1; seed <= 200; seed++) {
        const { one, see } = fed(truth, n, 7 * seed + n);
        const share = see(200);
        const { low, high } = one.estimate()!;
        held += Number(low <= share && share <= high);
        width += (high - low) / 200;
      }
      expect(held / 200).toBeGreaterThanOrEqual(0.92);
      // and it says something: wide only while it cannot know
      expect(width).toBeLessThan(n === 10 ? 0.5 : n === 40 ? 0.36 : 0.27);
    });
  });

  test('estimate() says how wrong it was once labels came', () => {
    const { one, learn, see } = fed(truths['as the score claims'], 200, 5);
    see(50);
    expect(one.estimate()?.past?.estimates).toBe(20);
    expect(one.estimate()?.past?.bias).toBeCloseTo(0, 1);
    expect(one.estimate()?.past?.held).toBeGreaterThan(0.85);
    learn(40, () => 0.1);
    const past = one.estimate()?.past;
    expect(past?.bias).toBeGreaterThan(0.08);
    expect(past?.meanError).toBeGreaterThan(0.1);
    expect(past?.held).toBeLessThan(0.95);
  });

  test('estimates that were wrong widen the interval', () => {
    const steady = fed(() => 0.6, 100, 9);
    const changing = fed(() => 0.9, 50, 9);
    for (let i = 0; i < 5; i++) changing.learn(10, () => (i % 2 === 0 ? 0.1 : 0.95));
    for (const { see } of [steady, changing]) see(200);
    const width = (of: Estimator) => of.estimate()!.high - of.estimate()!.low;
    expect(width(changing.one)).toBeGreaterThan(1.3 * width(steady.one));
  });

  test('after a change that scores show, doubt() makes the interval hold what the curve does not', () => {
    let held = 0;
    for (let seed = 1; seed <= 100; seed++) {
      // another wearer: half as sure, and right a third of the time at any score
      const { one, learn } = fed(truths['as the score claims'], 40, seed);
      one.doubt(10);
      const random = mulberry(1000 + seed);
      const next = scores(random, 30, 13);
      learn(12, () => 0.35);
      let right = 0;
      for (let i = 0; i < 200; i++) {
        one.window(next());
        right += Number(random() < 0.35);
      }
      const { low, high } = one.estimate()!;
      held += Number(low <= right / 200 && right / 200 <= high);
    }
    expect(held).toBeGreaterThanOrEqual(90);
  });

  test('doubt() forgets windows of before the change, and is less sure', () => {
    const { one, see } = fed(() => 0.8, 100, 3);
    see(150);
    const width = () => one.estimate()!.high - one.estimate()!.low;
    const before = width();
    one.doubt(14);
    expect(one.estimate()?.windows).toBe(14);
    expect(width()).toBeGreaterThan(1.5 * before);
    one.doubt(3);
    expect(one.estimate()?.windows).toBe(10);
  });

  test('anchor() begins at what the gate saw, once', () => {
    const { one, see } = fed(() => 0.5, 0, 3);
    expect(one.estimate()).toBeUndefined();
    see(30);
    const before = one.estimate()!;
    one.anchor(0.6, 0.003);
    const after = one.estimate()!;
    expect(Math.abs(after.accuracy - 0.6)).toBeLessThan(Math.abs(before.accuracy - 0.6) / 3);
    expect(after.high - after.low).toBeLessThan(before.high - before.low);
    one.anchor(0.1, 0.0001);
    expect(one.estimate()).toEqual(after);
  });

  test('restart() forgets the windows, and keeps how wrong estimates were', () => {
    const { one, see } = fed(() => 0.7, 60, 3);
    see(40);
    one.restart(fromFleet(calibrator().state()));
    expect(one.estimate()).toBeUndefined();
    see(10);
    expect(one.estimate()).toMatchObject({ windows: 10, labels: 0, past: { estimates: 6 } });
  });

  test('state() carries everything over a restart', () => {
    const run = (restart: boolean) => {
      const random = mulberry(4);
      const next = scores(random, 50, 20);
      let one = estimator(calibrator().state());
      for (let i = 0; i < 300; i++) {
        if (restart && i === 133) {
          one = estimator(calibrator().state(), JSON.parse(JSON.stringify(one.state())));
        }
        one.window(next());
        if (i % 4 === 0) one.label(next(), random() < 0.7);
      }
      return one.estimate();
    };
    expect(run(true)).toEqual(run(false));
  });
});

describe('together()', () => {
  test('weighs by windows, and does not let errors cancel out', () => {
    const base = { low: 0.7, high: 0.9, labels: 10, past: null };
    const past = { estimates: 2, meanError: 0.1, bias: -0.1, held: 0.5 };
    const all = together([
      { ...base, accuracy: 0.8, windows: 30 },
      { ...base, accuracy: 0.4, windows: 10, low: 0.3, high: 0.5, past },
    ])!;
    expect(all).toMatchObject({ windows: 40, labels: 20, past });
    expect(all.accuracy).toBeCloseTo(0.7, 12);
    expect([all.low, all.high].map((x) => Number(x.toFixed(6)))).toEqual([0.6, 0.8]);
    expect(together([])).toBeUndefined();
  });
});
