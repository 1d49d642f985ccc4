import { describe, expect, test } from 'vitest';
import { adwin } from '../../../gateway/monitor/adwin.ts';
import { conformal } from '../../../gateway/monitor/conformal.ts';
import type { Detector } from '../../../gateway/monitor/detector.ts';
import { pageHinkley } from '../../../gateway/monitor/page-hinkley.ts';
import { lcg, mulberry, scores } from './streams.ts';

interface Subject {
  name: string;
  make: (state?: never) => Detector;
  /** from the contract's stream, 0 to 255, to what the detector takes */
  scale: (score: number) => number;
  /** windows after the fall in which it must speak */
  within: number;
  /** alarms that are allowed in 10,000 stationary values */
  falseAlarms: number;
}

const subjects: Subject[] = [
  {
    ...{ name: 'adwin() as in the paper', scale: (x) => x / 255, within: 96, falseAlarms: 1 },
    make: (state) => adwin({}, state),
  },
  {
    ...{ name: 'adwin() as in River', scale: (x) => x / 255, within: 128, falseAlarms: 1 },
    make: (state) => adwin({ bound: 'river' }, state),
  },
  {
    ...{ name: 'pageHinkley()', scale: (x) => x / 255, within: 40, falseAlarms: 3 },
    make: (state) => pageHinkley({ threshold: 4, delta: 0.05 }, state),
  },
  {
    ...{ name: 'conformal()', scale: (x) => x, within: 30, falseAlarms: 3 },
    make: (state) => conformal({ runLength: 10_000 }, state),
  },
];

describe.each(subjects)('$name, as every detector,', (subject) => {
  test('update() detects a fall in time, whenever it comes', () => {
    for (const [seed, before] of [100, 317, 1500].entries()) {
      const random = mulberry(seed + 1);
      const detector = subject.make();
      const high = scores(random, 130, 25);
      const low = scores(random, 65, 30);
      for (let i = 0; i < before; i++) detector.update(subject.scale(high()));
      let after = 0;
      while (!detector.update(subject.scale(low()))) expect(++after).toBeLessThan(subject.within);
    }
  });

  test('update() is quiet on 10,000 values of one distribution', () => {
    const next = scores(mulberry(11), 130, 25);
    const detector = subject.make();
    let alarms = 0;
    for (let i = 0; i < 10_000; i++) alarms += Number(detector.update(subject.scale(next())));
    expect(alarms).toBeLessThanOrEqual(subject.falseAlarms);
  });

  test('state() carries it over a restart at any moment, by way of JSON', () => {
    const run = (restartEvery: number) => {
      const random = mulberry(5);
      const high = scores(random, 130, 25);
      const low = scores(random, 60, 25);
      let detector = subject.make();
      const alarms: number[] = [];
      for (let i = 0; i < 900; i++) {
        if (i % restartEvery === 0) {
          detector = subject.make(JSON.parse(JSON.stringify(detector.state())) as never);
        }
        if (detector.update(subject.scale(i % 600 < 400 ? high() : low()))) alarms.push(i);
      }
      return { alarms, state: detector.state() };
    };
    const whole = run(10_000);
    expect(whole.alarms.length).toBeGreaterThan(0);
    expect(run(37)).toEqual(whole);
    expect(run(1)).toEqual(whole);
  });
});

/**
 * Alarm positions of River 0.26.1 (pip), `drift.ADWIN` and `drift.PageHinkley`, on 4,000 values made
 * from u = lcg(7): 'bernoulli' u < [.05 .3 .1 .6][⌊i/1000⌋], 'uniform' u/2 + [0 .2 .1 .5][⌊i/1000⌋],
 * 'gradual' u/2 + i/8000. River begins with an empty detector after each alarm.
 */
const streams = {
  bernoulli: (u: number, i: number) => (u < [0.05, 0.3, 0.1, 0.6][Math.floor(i / 1000)] ? 1 : 0),
  uniform: (u: number, i: number) => u * 0.5 + [0, 0.2, 0.1, 0.5][Math.floor(i / 1000)],
  gradual: (u: number, i: number) => u * 0.5 + (0.5 * i) / 4000,
};
type Stream = keyof typeof streams;

function alarms(stream: Stream, make: () => Detector): number[] {
  const next = lcg(7);
  const found: number[] = [];
  let detector = make();
  for (let i = 0; i < 4000; i++) {
    if (!detector.update(streams[stream](next(), i))) continue;
    found.push(i);
    detector = make();
  }
  return found;
}

describe('the same alarms as River', () => {
  const patient = { delta: 0.01, clock: 8, minWindow: 10, grace: 50, maxBuckets: 3 };
  test.each<[Stream, object, number[]]>([
    ['bernoulli', {}, [1087, 2207, 3039]],
    ['bernoulli', { delta: 0.05, clock: 1 }, [1038, 2097, 3019]],
    ['bernoulli', patient, [1063, 2159, 3031]],
    ['uniform', {}, [1087, 2143, 3039]],
    ['uniform', { delta: 0.05, clock: 1 }, [1036, 2098, 3017]],
    ['uniform', patient, [1063, 2119, 3031]],
    ['gradual', {}, [1183, 2239, 3295]],
    ['gradual', { delta: 0.05, clock: 1 }, [974, 1686, 2378, 3200, 3979]],
    ['gradual', patient, [1111, 2095, 3111]],
  ])('adwin() on %s with %o', (stream, options, expected) => {
    expect(alarms(stream, () => adwin({ ...options, bound: 'river' }))).toEqual(expected);
  });

  const up = { minInstances: 10, threshold: 8, delta: 0.02, alpha: 0.999, mode: 'up' } as const;
  const down = { threshold: 6, delta: 0.02, mode: 'down' } as const;
  const quick = { threshold: 5, delta: 0.05 };
  test.each<[Stream, object, number[]]>([
    ['bernoulli', {}, [1228, 2256, 3097]],
    ['bernoulli', quick, [1025, 2029, 3006, 3352, 3413, 3703]],
    ['bernoulli', up, [1031, 1369, 3005, 3301, 3939]],
    ['bernoulli', down, [2082, 2466]],
    ['uniform', {}, [1297, 2817, 3173]],
    ['uniform', quick, [1032, 2108, 3014]],
    ['uniform', up, [1042, 3018]],
    ['uniform', down, [2874]],
    ['gradual', {}, [1427, 2833]],
    ['gradual', quick, [1196, 2320, 3383]],
    ['gradual', up, [914, 1527, 2324, 3136, 3913]],
    ['gradual', down, []],
  ])('pageHinkley() on %s with %o', (stream, options, expected) => {
    expect(alarms(stream, () => pageHinkley(options))).toEqual(expected);
  });
});

describe('adwin()', () => {
  test("keeps the window's mean and width, and says what changed", () => {
    const detector = adwin({ clock: 1 });
    const random = mulberry(3);
    for (let i = 0; i < 500; i++) detector.update(0.7 + 0.1 * random());
    expect(detector.width).toBe(500);
    expect(detector.mean).toBeCloseTo(0.75, 2);
    while (!detector.update(0.1 + 0.1 * random()));
    expect(detector.change?.before).toBeCloseTo(0.75, 1);
    for (let i = 0; i < 200; i++) detector.update(0.1 + 0.1 * random());
    expect(detector.mean).toBeCloseTo(0.15, 1);
  });

  test('remembers a long stream in few buckets, exactly in sum', () => {
    const detector = adwin();
    let sum = 0;
    const random = mulberry(9);
    for (let i = 0; i < 20_000; i++) {
      const x = Math.round(random() * 16) / 16;
      sum += x;
      detector.update(x);
    }
    const { rows, total } = detector.state();
    expect(total).toBe(sum);
    expect(rows.flatMap((row) => row.sums).length).toBeLessThan(6 * Math.log2(20_000));
  });

  test('refuses a delta that is no probability', () => {
    expect(() => adwin({ delta: 1 })).toThrow(RangeError);
  });
});

describe('conformal()', () => {
  test('keeps its promise on the mean run between false alarms', () => {
    // 60 streams of 1,000 with a promise of 1,000: at most 60 alarms are to be expected.
    let alarms = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const next = scores(mulberry(seed), 70, 40);
      const detector = conformal({ runLength: 1000 });
      for (let i = 0; i < 1000; i++) alarms += Number(detector.update(next()));
    }
    expect(alarms).toBeLessThanOrEqual(30);
    expect(alarms).toBeGreaterThan(0);
  });

  test('says nothing when scores rise', () => {
    const random = mulberry(2);
    const [low, high] = [scores(random, 60, 20), scores(random, 140, 20)];
    const detector = conformal();
    for (let i = 0; i < 400; i++) expect(detector.update(i < 200 ? low() : high())).toBe(false);
  });

  test('refuses what is no score', () => {
    expect(() => conformal().update(1.5)).toThrow(RangeError);
    expect(() => conformal().update(256)).toThrow(RangeError);
  });
});
