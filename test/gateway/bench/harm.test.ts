import { describe, expect, it } from 'vitest';
import { harmRows } from '../../../gateway/bench/harm.ts';
import {
  drawTrial,
  learnedFrom,
  runTrial,
  type TrialResult,
} from '../../../gateway/bench/harm-trial.ts';
import { trainFirst } from '../../../gateway/bench/harm-world.ts';
import { quickTask } from '../../support/tasks.ts';

const result = (seed: number, changes: Partial<TrialResult>): TrialResult => ({
  ...drawTrial(seed),
  ...{ before: 0.5, toGain: 0, promotions: [], refusals: [], answered: 0, takenBack: [] },
  ...changes,
});

it('drawTrial() gives the same trial for the same seed', () => {
  expect(drawTrial(7)).toEqual(drawTrial(7));
  expect(drawTrial(7)).not.toEqual({ ...drawTrial(8), seed: 7 });
});

describe('runTrial()', () => {
  const task = quickTask();
  const first = (who: number) => trainFirst(task, learnedFrom(task, who), who);
  const strong = { drift: 'strong', trouble: 'none', holdout: 'usual' } as const;

  it('labels what the gateway asks for where it refuses labels of one class', async () => {
    const calm = { share: 0, wrong: 'random', scope: 'device', holdout: 'single' } as const;
    const result = await runTrial(task, { ...drawTrial(100_001), ...strong, ...calm }, first);
    expect(result.refusals[0]).toMatch(/^better: .*; labels: .* windows are asked for/);
    expect(result.answered).toBeGreaterThan(0);
    expect(result.promotions.length, result.refusals.join('\n')).toBeGreaterThan(0);
  }, 120_000);

  it('releases nothing that harms where most labels are swapped, and a few agree by luck', async () => {
    const swapped = { share: 0.6, wrong: 'swap', scope: 'device' } as const;
    const result = await runTrial(task, { ...drawTrial(100_016), ...strong, ...swapped }, first);
    expect(result.refusals[0]).toMatch(/^labels agree: 8 of 12 labels/);
    const changes = [...result.promotions, ...result.takenBack].map(({ change }) => change);
    expect(Math.min(0, ...changes)).toBeGreaterThan(-0.02);
  }, 120_000);

  it('promotes where two devices of a fleet have changed, and one of them is poisoned', async () => {
    const poisoned = { share: 0.2, wrong: 'poisoned', scope: 'fleet' } as const;
    const result = await runTrial(task, { ...drawTrial(100_005), ...strong, ...poisoned }, first);
    expect(result.promotions.length, result.refusals.join('\n')).toBeGreaterThan(0);
  }, 240_000);
});

it('harmRows() counts a promotion as harm that costs the scope or one device more than two points', () => {
  const promotion = (change: number, worst: number) => [{ change, worst, why: '' }];
  const rows = harmRows([
    result(1, { promotions: promotion(0.2, -0.021), share: 0.1, toGain: 0.2 }),
    result(2, { promotions: promotion(0.01, -0.019), share: 0.2, toGain: 0.05 }),
    result(3, { share: 0.2, toGain: 0.06, answered: 12 }),
    result(4, { share: 0.4, toGain: 0.3, answered: 5 }),
  ]);
  const value = (name: string) => rows.find((row) => row.name.startsWith(name))?.value;
  expect(value('promotions that harm; seeds of the trials: 1')).toBe(1);
  expect(value('promotions that harm, 95')).toBe(0.9747); // one of two
  expect(rows[0]?.met).toBe(false);
  expect(value('trials promoted where 5 points')).toBe(0.667); // two of three
  expect(value('labels that the gateway asked for')).toBe(17);
  expect(value('trials with such labels')).toBe(2);
});
