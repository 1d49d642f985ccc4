import { describe, expect, it } from 'vitest';
import * as module from '../../../gateway/train/cross-validate.ts';

const { crossValidate, stratifiedFolds } = module;
const labels = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2];

describe('cross-validate', () => {
  it('crossValidate() never shows a model the sample that it predicts', async () => {
    const predicted = await crossValidate(labels, 3, 4, (seen) => (index) => {
      expect(seen).not.toContain(index);
      expect(seen).toHaveLength(8);
      return index;
    });
    expect(predicted).toEqual(labels.map((_, i) => i));
  });

  it.each([12, 100])('crossValidate() leaves one out when asked for %i folds of 12', async (k) => {
    const sizes: number[] = [];
    await crossValidate(labels, k, 1, (seen) => {
      sizes.push(seen.length);
      return () => 0;
    });
    expect(sizes).toEqual(new Array(12).fill(11));
  });

  it('stratifiedFolds() spreads every class over the folds', () => {
    for (const seed of [1, 2, 3]) {
      const fold = stratifiedFolds(labels, 4, seed);
      for (const cls of [0, 1]) {
        const counts = [0, 1, 2, 3].map((f) =>
          labels.reduce((sum, label, i) => sum + (label === cls && fold[i] === f ? 1 : 0), 0),
        );
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }
    }
    expect(stratifiedFolds(labels, 4, 1)).toEqual(stratifiedFolds(labels, 4, 1));
    expect(stratifiedFolds(labels, 4, 1)).not.toEqual(stratifiedFolds(labels, 4, 2));
  });

  it('crossValidate() refuses what cannot be split', async () => {
    await expect(crossValidate([0], 2, 1, () => () => 0)).rejects.toThrow(RangeError);
    await expect(crossValidate(labels, 1, 1, () => () => 0)).rejects.toThrow(RangeError);
  });
});
