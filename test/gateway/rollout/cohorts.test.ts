import { describe, expect, test } from 'vitest';
import { canaryCount, stableOrder } from '../../../gateway/rollout/cohorts.ts';

describe('stableOrder()', () => {
  test('depends on ids and salt alone, and another salt puts others first', () => {
    const ids = Array.from({ length: 50 }, (_, i) => `w${i}`);
    const order = stableOrder(ids, 'a');
    expect(stableOrder([...ids].reverse(), 'a')).toEqual(order);
    expect([...order].sort()).toEqual([...ids].sort());
    const firsts = new Set(Array.from({ length: 40 }, (_, i) => stableOrder(ids, `${i}`)[0]));
    expect(firsts.size).toBeGreaterThan(15);
  });
});

describe('canaryCount()', () => {
  test('is a share, one at least and all at most', () => {
    expect([canaryCount(4, 0.25), canaryCount(9, 0.25), canaryCount(3, 0.01)]).toEqual([1, 3, 1]);
    expect([canaryCount(2, 1), canaryCount(0, 0.5)]).toEqual([2, 0]);
  });
});
