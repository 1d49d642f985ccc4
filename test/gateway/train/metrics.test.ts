import { describe, expect, it } from 'vitest';
import { accuracy, confusionMatrix } from '../../../gateway/train/metrics.ts';

describe('metrics', () => {
  it('metrics refuse what cannot be counted', () => {
    expect(() => accuracy([], [])).toThrow(RangeError);
    expect(() => accuracy([1], [])).toThrow(RangeError);
    expect(() => confusionMatrix([0], [2], 2)).toThrow(RangeError);
    expect(() => confusionMatrix([2], [0], 2)).toThrow(RangeError);
  });
});
