import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moments, realigner } from '../../../gateway/train/realign.ts';

const rows = (...all: number[][]) => all.map((row) => Int8Array.from(row));

describe('realigner()', () => {
  it('moves each number by the mean and deviation of both regimes', () => {
    const from = rows([0, 10], [4, 30]); // means 2 and 20, deviations 2 and 10
    const to = rows([10, -20], [18, -40]); // means 14 and -30, deviations 4 and 10
    const move = realigner(from, to);
    expect([...move(Int8Array.of(3, 25))]).toEqual([16, -25]);
    expect(from.map((row) => [...move(row)])).toEqual([
      [10, -40],
      [18, -20],
    ]);
  });

  it('saturates at int8', () => {
    const move = realigner(rows([0], [2]), rows([0], [100]));
    expect([...move(Int8Array.of(100))]).toEqual([127]);
    expect([...move(Int8Array.of(-100))]).toEqual([-128]);
  });

  it('blows up nothing that did not move', () => {
    const move = realigner(rows([7], [7]), rows([0], [40]));
    expect([...move(Int8Array.of(7))]).toEqual([20]);
    expect([...move(Int8Array.of(8))]).toEqual([40]);
  });

  it('leaves a regime where it is if that is the one entered', () => {
    const embedding = fc.int8Array({ minLength: 3, maxLength: 3 });
    const regime = fc.array(embedding, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(regime, embedding, (all, one) => {
        expect([...realigner(all, all)(one)]).toEqual([...one]);
      }),
    );
  });

  it('throws RangeError without windows, or where embeddings differ in length', () => {
    expect(() => realigner([], rows([1]))).toThrow(RangeError);
    expect(() => realigner(rows([1]), [])).toThrow(RangeError);
    expect(() => realigner(rows([1]), rows([1, 2]))).toThrow(RangeError);
    expect(() => realigner(rows([1], [1, 2]), rows([1]))).toThrow(RangeError);
  });
});

describe('moments()', () => {
  it('gives mean and deviation of each number, the deviation at least 1', () => {
    const { mean, deviation } = moments(rows([2, 5], [8, 5], [2, 5], [8, 5]));
    expect([...mean]).toEqual([5, 5]);
    expect([...deviation]).toEqual([3, 1]);
  });
});
