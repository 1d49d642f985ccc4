import { expect, it } from 'vitest';
import { benchTrain } from '../../../gateway/bench/train.ts';

it('benchTrain() gives a row for time, accuracy and gradients of each peer when run', async () => {
  const report = await benchTrain({ epochs: 1, windows: 96, runs: 1 });
  expect(report.bench).toBe('train');
  expect(report.rows).toHaveLength(6);
  for (const row of report.rows) {
    expect(row.peer).toMatch(/^@tensorflow\/tfjs/);
    // either a value that can be judged, or the reason why there is none
    if (row.skipped === undefined) expect(typeof row.met).toBe('boolean');
    else expect(row.value).toBeUndefined();
  }
  const ours = report.rows.filter(({ peer }) => peer === '@tensorflow/tfjs (cpu)');
  expect(ours).toHaveLength(3);
  const [time, accuracy, gradients] = ours;
  expect(time.ratio).toBeCloseTo((time.peerValue ?? 0) / (time.value ?? 1), 0);
  expect(accuracy.met).toBe(true);
  expect(gradients.met).toBe(true);
  expect(gradients.value).toBeGreaterThan(0);
});
