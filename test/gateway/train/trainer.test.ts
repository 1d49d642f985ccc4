import { describe, expect, it } from 'vitest';
import * as module from '../../../gateway/train/trainer.ts';

describe('trainer', () => {
  it('layerPenalties() keeps one a layer, and refuses too few, too many and negative ones', () => {
    expect(module.layerPenalties([0, 0.5], 2)).toEqual([0, 0.5]);
    expect(() => module.layerPenalties([0.5], 2)).toThrow(RangeError);
    expect(() => module.layerPenalties([0, 0.5, 1], 2)).toThrow(RangeError);
    expect(() => module.layerPenalties([0, Number.NaN], 2)).toThrow(RangeError);
  });
});
