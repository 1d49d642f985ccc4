import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { judge } from '../../../gateway/bench/detection.ts';
import { benchDetectors } from '../../../gateway/bench/detectors.ts';
import {
  readDriftStream,
  recordedStreams,
  syntheticStream,
} from '../../../gateway/bench/drift-streams.ts';
import { naiveBayes } from '../../../gateway/bench/naive-bayes.ts';
import { benchRunLengths, runsFor } from '../../../gateway/bench/run-lengths.ts';
import { createRandom } from '../../../gateway/random.ts';

const dir = mkdtempSync(join(tmpdir(), 'whetstone-streams-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** SYNTHETIC: as sine1's file, with classes that swap over at 20,000. */
function writeSine1(): void {
  const random = createRandom(1);
  const lines = Array.from({ length: 21_000 }, (_, i) => {
    const [x, y] = [random.uniform(0, 1), random.uniform(0, 1)];
    const positive = y < Math.sin(x) === i < 20_000;
    return `${x.toFixed(5)},${y.toFixed(5)},${positive ? 'p' : 'n'}`;
  });
  const head = '@relation SINE1\n@attribute x real\n@attribute class {p,n}\n\n@data\n';
  writeFileSync(join(dir, recordedStreams[0].file), gzipSync(`${head}${lines.join('\n')}\n`));
}

describe('benchDetectors()', () => {
  test('judges every detector on what recordings there are, and says which are not', async () => {
    writeSine1();
    const { bench, rows } = await benchDetectors({ data: dir });
    expect(bench).toBe('detectors');
    const value = (name: string) => rows.find((row) => row.name === name)?.value;
    expect(value('sine1, hddm-a: F1 within 250 values')).toBe(1);
    expect(value('sine1, hddm-a: missed')).toBe(0);
    expect(value('sine1, hddm-a: mean delay')).toBeGreaterThan(0);
    expect(value('sine1, never-alarm: F1 within 250 values')).toBe(0);
    expect(value('sine1, never-alarm: missed')).toBe(1);
    const always = 'sine1, always-alarm (every tolerance)';
    expect(value(`${always}: recall`)).toBe(1);
    expect(value(`${always}: false alarms`)).toBe(83);
    const accuracy = ': accuracy of naive Bayes begun anew at alarms';
    expect(value(`sine1, hddm-a${accuracy}`)).toBeGreaterThan(
      value(`sine1, never-alarm${accuracy}`)!,
    );
    const skipped = rows.filter((row) => row.skipped?.startsWith('no recordings'));
    expect(skipped.map((row) => row.name.split(',')[0])).toEqual(['circles', 'mixed', 'elec2']);
    expect(value('values a second, adwin')).toBeGreaterThan(0);
    expect(rows.find((row) => row.name.endsWith('beside River'))?.skipped).toContain('Python');
    for (const row of rows)
      expect((row.value === undefined) !== (row.skipped === undefined)).toBe(true);
  });
});

describe('readDriftStream()', () => {
  test('reads CSV with a header, and words as numbers in the order they appear', () => {
    const elec2 = recordedStreams[3];
    writeFileSync(join(dir, elec2.file), 'a,b,class\n0.5,True,1\n0.25,False,0\n1,True,1\n');
    expect(readDriftStream(dir, elec2)).toMatchObject({
      vectors: [
        [0.5, 0],
        [0.25, 1],
        [1, 0],
      ],
      labels: [1, 0, 1],
      name: 'elec2',
    });
    expect(readDriftStream(dir, elec2).drifts).toBeUndefined();
    rmSync(join(dir, elec2.file));
  });

  test('knows where the drifts of a recorded stream are', () => {
    writeSine1();
    const stream = readDriftStream(dir, recordedStreams[0]);
    expect(stream.drifts).toEqual([20_000]);
    expect(stream.vectors).toHaveLength(21_000);
    expect(new Set(stream.labels)).toEqual(new Set([0, 1]));
  });
});

describe('syntheticStream()', () => {
  test('changes means, or only a correlation, at its drifts', () => {
    const correlation = (vectors: number[][]) =>
      vectors.reduce((sum, x) => sum + x[0] * x[2], 0) / vectors.length;
    const { vectors, drifts } = syntheticStream('correlation');
    const [first, second] = drifts as number[];
    expect(correlation(vectors.slice(0, first))).toBeCloseTo(0, 1);
    expect(correlation(vectors.slice(first, second))).toBeGreaterThan(0.85);
    const means = syntheticStream('means').vectors.slice(first, second);
    const meanOf = (i: number) => means.reduce((sum, x) => sum + x[i], 0) / means.length;
    expect([0, 1, 2].map((i) => meanOf(i) > 0.5)).toEqual([true, false, true]);
    expect(Math.abs(meanOf(1))).toBeLessThan(0.1);
  });
});

describe('judge()', () => {
  test('takes the first alarm within the tolerance, and no other', () => {
    expect(judge([990, 1000, 1001, 2501], [1000, 2000], 500)).toEqual({
      ...{ found: 1, missed: 1, falseAlarms: 3, delay: 0 },
      ...{ precision: 0.25, recall: 0.5, f1: 1 / 3 },
    });
    expect(judge([1500, 2500], [1000, 2000], 500)).toMatchObject({ delay: 500, f1: 1 });
  });

  test('has no delay and no precision without alarms', () => {
    expect(judge([], [7], 5)).toMatchObject({ delay: undefined, precision: undefined, f1: 0 });
  });
});

describe('naiveBayes()', () => {
  test('learns means and variances, and weighs classes by how often they come', () => {
    const random = createRandom(5);
    const model = naiveBayes(2, 2);
    expect(model.predict([9, 9])).toBe(0);
    let right = 0;
    for (let i = 0; i < 4000; i++) {
      const cls = Number(random.uniform(0, 1) < 0.3);
      // the same mean, three times the deviation: a line could not part them
      const x = [random.gaussian() * (1 + 2 * cls), 5];
      if (i >= 2000) right += Number(model.predict(x) === cls);
      model.learn(x, cls);
    }
    // Bayes' own share for 0.7 N(0, 1) against 0.3 N(0, 9)
    expect(right / 2000).toBeGreaterThan(0.78);
    expect(right / 2000).toBeLessThan(0.84);
  });
});

describe('runsFor()', () => {
  /** Alarms at every k-th value. */
  const periodic = (k: number) => () => {
    let n = 0;
    return { update: () => ++n === k, state: () => n };
  };

  test('says whether the mean run is as long as asked, cut off or not', () => {
    const asked = (mean: number, cut: number) => ({ mean, cut, trials: 9 });
    expect(runsFor(periodic(50), () => 0, asked(50, 200))).toBe(true);
    expect(runsFor(periodic(50), () => 0, asked(50.5, 200))).toBe(false);
    expect(runsFor(periodic(500), () => 0, asked(200, 200))).toBe(true);
    expect(() => runsFor(periodic(5), () => 0, asked(201, 200))).toThrow(RangeError);
  });
});

describe('benchRunLengths()', () => {
  test('finds no threshold above the table, in as many trials as the table was made with', async () => {
    const { rows } = await benchRunLengths({ runLengths: [100, 1000] });
    expect(rows.map((row) => row.name)).toEqual([
      ...['ddm, run length 100', 'ddm, run length 1000', 'hddm-w, run length 100'],
      ...[
        'hddm-w, run length 1000',
        'page-hinkley, run length 100',
        'page-hinkley, run length 1000',
      ],
    ]);
    for (const row of rows) expect(row.met, `${row.name}: ${row.value}, ${row.aim}`).toBe(true);
  });
});
