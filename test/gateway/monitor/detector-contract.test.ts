import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adwin } from '../../../gateway/monitor/adwin.ts';
import { conformal } from '../../../gateway/monitor/conformal.ts';
import { ddm } from '../../../gateway/monitor/ddm.ts';
import type { Detector } from '../../../gateway/monitor/detector.ts';
import { features } from '../../../gateway/monitor/features.ts';
import { hddmA } from '../../../gateway/monitor/hddm-a.ts';
import { hddmW } from '../../../gateway/monitor/hddm-w.ts';
import { kolmogorovSmirnov } from '../../../gateway/monitor/kolmogorov-smirnov.ts';
import { kswin } from '../../../gateway/monitor/kswin.ts';
import { mmd } from '../../../gateway/monitor/mmd.ts';
import { pageHinkley } from '../../../gateway/monitor/page-hinkley.ts';
import { psi } from '../../../gateway/monitor/psi.ts';
import { createRandom } from '../../../gateway/random.ts';

interface Subject {
  name: string;
  /** with the run length that is asked for, or its usual settings */
  make: (runLength?: number, state?: unknown) => Detector<unknown, unknown>;
  /** from a loss of 0 to 1 to what the detector takes */
  value: (loss: number, random: () => number) => unknown;
  /** values after a change from 0.2 to 0.8 in which it must speak */
  within: number;
  /** characters of its state as JSON, at most, however long the stream */
  stateLength: number;
}

type Make = (options: object, state?: never) => Detector<unknown, never>;

const bit = (loss: number, random: () => number) => Number(random() < loss);
const graded = (loss: number, random: () => number) => 0.7 * loss + 0.3 * random();
const pair = (loss: number, random: () => number) => [random(), graded(loss, random)];

function subject(
  name: string,
  [make, options, byRunLength = {}]: [unknown, object, object?],
  value: Subject['value'],
  [within, stateLength]: [number, number],
): Subject {
  const detector = (runLength?: number, state?: unknown) =>
    (make as Make)(
      runLength === undefined ? options : { ...options, ...byRunLength, runLength },
      state as never,
    ) as Detector<unknown, unknown>;
  return { name, make: detector, value, within, stateLength };
}

/** Settings that a run length is to choose. */
const free = { alpha: undefined, threshold: undefined, delta: undefined };
const sizes = { reference: 100, window: 60 };
const subjects: Subject[] = [
  subject('adwin()', [adwin, {}], graded, [64, 6000]),
  subject("adwin() by the paper's rules", [adwin, { as: 'paper' }], graded, [64, 6000]),
  subject(
    'conformal()',
    [conformal, {}],
    (l, r) => Math.round(255 * (1 - graded(l, r))),
    [40, 1600],
  ),
  subject('ddm()', [ddm, {}], bit, [250, 200]),
  subject("ddm() by the paper's rules", [ddm, { as: 'paper' }], bit, [250, 200]),
  subject('hddmA()', [hddmA, {}], bit, [80, 300]),
  subject("hddmA() by the paper's rules", [hddmA, { as: 'paper' }], bit, [80, 300]),
  subject('hddmA() of both sides', [hddmA, { twoSided: true }], graded, [80, 300]),
  subject('hddmW()', [hddmW, {}], bit, [80, 600]),
  subject("hddmW() by the paper's rules", [hddmW, { as: 'paper' }], bit, [80, 600]),
  subject('hddmW() of both sides', [hddmW, { twoSided: true }], bit, [80, 600]),
  subject('pageHinkley()', [pageHinkley, { threshold: 15, delta: 0.1 }, free], bit, [80, 250]),
  subject("pageHinkley() by the paper's rules", [pageHinkley, { as: 'paper' }], graded, [150, 250]),
  subject('kswin()', [kswin, { alpha: 1e-4 }, free], graded, [30, 2200]),
  subject(
    "kswin() by the paper's rules",
    [kswin, { alpha: 1e-4, as: 'paper' }, free],
    graded,
    [30, 2200],
  ),
  subject('psi()', [psi, sizes], graded, [60, 2600]),
  subject('kolmogorovSmirnov()', [kolmogorovSmirnov, sizes], graded, [60, 3600]),
  subject('mmd()', [mmd, { ...sizes, dimensions: 2 }], pair, [60, 8000]),
  subject('features() by KS', [features, { ...sizes, count: 2 }], pair, [60, 7500]),
  subject('features() by PSI', [features, { ...sizes, count: 2, test: 'psi' }], pair, [60, 5500]),
];

/** A stream whose loss is one of the levels, a stretch each. */
function stream({ value }: Subject, seed: number, levels: number[], stretch: number): unknown[] {
  const random = createRandom(seed);
  const uniform = () => random.uniform(0, 1);
  return levels.flatMap((loss) => Array.from({ length: stretch }, () => value(loss, uniform)));
}

function alarmsOf(detector: Detector<unknown, unknown>, values: unknown[]): number[] {
  return values.flatMap((x, i) => (detector.update(x) ? [i] : []));
}

describe.each(subjects)('$name, as every detector,', (one) => {
  test('update() detects an obvious change in time, whenever it comes', () => {
    for (const [seed, before] of [300, 517, 1500].entries()) {
      const detector = one.make();
      const calm = stream(one, seed + 1, [0.2], before);
      const changed = stream(one, seed + 11, [0.8], one.within);
      alarmsOf(detector, calm);
      expect(alarmsOf(detector, changed).length).toBeGreaterThan(0);
    }
  });

  test('update() says nothing on a constant stream', () => {
    for (const loss of [0, 0.3, 1]) {
      const x = one.value(loss, () => 0.5);
      expect(alarmsOf(one.make(), new Array(3000).fill(x))).toEqual([]);
    }
  });

  test('update() refuses what is no finite number, and forgets it was asked', () => {
    const detector = one.make();
    alarmsOf(detector, stream(one, 3, [0.2], 200));
    const before = detector.state();
    const sample = one.value(0.2, () => 0.5);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const x = Array.isArray(sample) ? [sample[0], bad] : bad;
      expect(() => detector.update(x)).toThrow(RangeError);
    }
    expect(detector.state()).toEqual(before);
  });

  test('state() carries it over a restart at any moments, by way of JSON', () => {
    const values = stream(one, 5, [0.2, 0.8, 0.1, 0.7], 280);
    const whole = one.make();
    const expected = alarmsOf(whole, values);
    expect(expected.length).toBeGreaterThan(0);
    const anyMoments = fc.uniqueArray(fc.nat(values.length - 1), { maxLength: 12 });
    fc.assert(
      fc.property(anyMoments, (moments) => {
        let detector = one.make();
        const alarms = values.flatMap((x, i) => {
          if (moments.includes(i)) {
            const saved = JSON.parse(JSON.stringify(detector.state()));
            expect(saved).toEqual(detector.state());
            detector = one.make(undefined, saved);
          }
          return detector.update(x) ? [i] : [];
        });
        expect(alarms).toEqual(expected);
        expect(detector.state()).toEqual(whole.state());
      }),
      { numRuns: 15, seed: 1 },
    );
  });

  test('state() is a copy: what comes later does not change it', () => {
    const detector = one.make();
    alarmsOf(detector, stream(one, 6, [0.2], 250));
    const state = detector.state();
    const then = JSON.stringify(state);
    alarmsOf(detector, stream(one, 7, [0.6], 20));
    expect(JSON.stringify(state)).toBe(then);
    const restored = one.make(undefined, state);
    alarmsOf(restored, stream(one, 7, [0.6], 20));
    expect(JSON.stringify(state)).toBe(then);
  });

  test('state() stays small however long the stream', () => {
    const detector = one.make();
    let longest = 0;
    stream(one, 8, [0.2, 0.3], 10_000).forEach((x, i) => {
      detector.update(x);
      if (i % 97 === 0) longest = Math.max(longest, JSON.stringify(detector.state()).length);
    });
    expect(longest).toBeLessThan(one.stateLength);
    expect(longest).toBeGreaterThan(one.stateLength / 4);
  });

  test('runLength keeps false alarms as rare as asked', () => {
    // 60 streams of 3,000 values with one false alarm in 1,000 at most: 180
    let alarms = 0;
    for (let seed = 1; seed <= 60; seed++) {
      alarms += alarmsOf(one.make(1000), stream(one, 100 + seed, [0.2], 3000)).length;
    }
    expect(alarms).toBeLessThanOrEqual(180);
  });

  test('runLength that no test can meet is refused', () => {
    for (const bad of [0, -5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => one.make(bad)).toThrow(RangeError);
    }
  });
});
