import { describe, expect, test } from 'vitest';
import { adwin } from '../../../gateway/monitor/adwin.ts';
import { chiSquareTail } from '../../../gateway/monitor/chi-square.ts';
import { ddm } from '../../../gateway/monitor/ddm.ts';
import type { Detector, WarningDetector } from '../../../gateway/monitor/detector.ts';
import { hddmA } from '../../../gateway/monitor/hddm-a.ts';
import { hddmW } from '../../../gateway/monitor/hddm-w.ts';
import { kolmogorovSmirnov } from '../../../gateway/monitor/kolmogorov-smirnov.ts';
import { ksTail } from '../../../gateway/monitor/ks-tail.ts';
import { type Draw, kswin } from '../../../gateway/monitor/kswin.ts';
import { pageHinkley } from '../../../gateway/monitor/page-hinkley.ts';
import { type PythonRandom, pythonRandom } from '../../support/python-random.ts';
import golden from '../../vectors/detectors.json' with { type: 'json' };
import { type GoldenStream, goldenValues } from './streams.ts';

const makers: Record<string, (options: never) => Detector> = {
  ...{ ddm, 'hddm-a': hddmA, 'hddm-w': hddmW, 'page-hinkley': pageHinkley, adwin },
  kswin: ({ seed, ...options }: { seed: number }) => kswin({ ...options, draw: asRiver(seed) }),
};

const streams = golden.streams as Record<string, GoldenStream>;

/** River draws from Python's generator once the window is full, and seeds it anew after an alarm. */
function asRiver(seed: number): Draw {
  let random: PythonRandom | undefined;
  let last = Number.POSITIVE_INFINITY;
  return (tick, from, count) => {
    if (random === undefined || tick < last) random = pythonRandom(seed);
    last = tick;
    return random.sample(from, count);
  };
}

describe(`the same alarms as ${golden.origin.split(';')[0]}`, () => {
  test.each(golden.cases)('$detector with $options on $stream', (one) => {
    const detector = makers[one.detector](one.options as never) as WarningDetector;
    const alarms: number[] = [];
    const warnings: number[] = [];
    let warned = false;
    goldenValues(streams[one.stream], golden.length).forEach((x, i) => {
      if (detector.update(x)) alarms.push(i);
      const warning = detector.warning ?? false;
      if (warning && !warned) warnings.push(i);
      warned = warning;
    });
    expect(alarms).toEqual(one.alarms);
    expect(warnings).toEqual(one.warnings);
  });

  test.each(golden.incremental)('kolmogorovSmirnov() of $size against $size at $alpha', (one) => {
    const { size, alpha } = one;
    const options = { reference: size, window: size, alpha, bound: 'river' } as const;
    const detector = kolmogorovSmirnov(options);
    const alarms: number[] = [];
    const statistics: [number, number][] = [];
    goldenValues(streams[one.stream], golden.length).forEach((x, i) => {
      if (detector.update(x)) alarms.push(i);
      const found = detector.comparison;
      if (i % 97 === 0 && found !== undefined) statistics.push([i, found.statistic]);
    });
    expect(alarms).toEqual(one.alarms);
    expect(statistics.length).toBe(one.statistics.length);
    statistics.forEach(([i, statistic], k) => {
      expect(i).toBe(one.statistics[k][0]);
      expect(statistic).toBeCloseTo(one.statistics[k][1], 12);
    });
  });
});

describe('pythonRandom()', () => {
  test('draws what Python draws', () => {
    const { seed, samples, small } = golden.pythonDraws;
    const random = pythonRandom(seed);
    for (const sample of samples) expect(random.sample(70, 30)).toEqual(sample);
    expect(random.sample(300, 5)).toEqual(small);
  });
});

describe("SciPy's tails", () => {
  test.each(golden.ksTails)('ksTail(%d, %d, %d) is %d', (h, n, m, p) => {
    expect(ksTail(h, n, m) / p).toBeCloseTo(1, 9);
  });

  test.each(golden.chiSquareTails)('chiSquareTail(%d, %d) is %d', (x, df, p) => {
    expect(chiSquareTail(x, df) / p).toBeCloseTo(1, 9);
  });
});
