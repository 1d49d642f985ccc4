import { expect, it } from 'vitest';
import { harmRows } from '../../../gateway/bench/harm.ts';
import { drawTrial, type TrialResult } from '../../../gateway/bench/harm-trial.ts';

const result = (seed: number, changes: Partial<TrialResult>): TrialResult => ({
  ...drawTrial(seed),
  ...{ before: 0.5, toGain: 0, promotions: [], refusals: [], takenBack: [] },
  ...changes,
});

it('drawTrial() gives the same trial for the same seed', () => {
  expect(drawTrial(7)).toEqual(drawTrial(7));
  expect(drawTrial(7)).not.toEqual({ ...drawTrial(8), seed: 7 });
});

it('harmRows() counts a promotion as harm that costs the scope or one device more than two points', () => {
  const promotion = (change: number, worst: number) => [{ change, worst, why: '' }];
  const rows = harmRows([
    result(1, { promotions: promotion(0.2, -0.021), share: 0.1, toGain: 0.2 }),
    result(2, { promotions: promotion(0.01, -0.019), share: 0.2, toGain: 0.05 }),
    result(3, { share: 0.2, toGain: 0.06 }),
    result(4, { share: 0.4, toGain: 0.3 }),
  ]);
  const value = (name: string) => rows.find((row) => row.name.startsWith(name))?.value;
  expect(value('promotions that harm; seeds of the trials: 1')).toBe(1);
  expect(value('promotions that harm, 95')).toBe(0.9747); // one of two
  expect(rows[0]?.met).toBe(false);
  expect(value('trials promoted where 5 points')).toBe(0.667); // two of three
});
