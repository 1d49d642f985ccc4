import { describe, expect, it } from 'vitest';
import { selectDiverse, type Unlabelled } from '../../../gateway/train/select.ts';

const at = (x: number, y: number, score = 100): Unlabelled => ({
  embedding: Int8Array.of(x, y),
  score,
});

describe('selectDiverse()', () => {
  it('takes one of each heap before two of any', () => {
    const heaps = [
      [0, 0],
      [100, 0],
      [0, 100],
      [100, 100],
    ];
    const windows = heaps.flatMap(([x, y]) => [0, 1, 2, 3, 4].map((i) => at(x! + i, y! - i)));
    for (let seed = 1; seed <= 20; seed++) {
      const heap = selectDiverse(windows, 4, seed).map((i) => Math.floor(i / 5));
      expect([...heap].sort(), `seed ${seed}`).toEqual([0, 1, 2, 3]);
    }
  });

  it('takes the less certain of two that are equally far', () => {
    const windows = [at(0, 0), at(50, 0, 200), at(-50, 0, 20)];
    const seed = [1, 2, 3, 4, 5, 6, 7, 8].find((s) => selectDiverse(windows, 1, s)[0] === 0)!;
    expect(selectDiverse(windows, 2, seed)).toEqual([0, 2]);
  });

  it('gives a smaller budget as the beginning of a larger one', () => {
    const windows = Array.from({ length: 30 }, (_, i) => at((i * 37) % 100, (i * 71) % 100, i));
    const all = selectDiverse(windows, 30, 3);
    expect([...all].sort((a, b) => a - b)).toEqual(windows.map((_, i) => i));
    for (const count of [1, 2, 7])
      expect(selectDiverse(windows, count, 3)).toEqual(all.slice(0, count));
    expect(selectDiverse(windows, 30, 3)).toEqual(all);
  });

  it('never chooses more than there are, nor the same twice, nor any for nothing', () => {
    const same = [at(1, 1), at(1, 1), at(1, 1)];
    expect(selectDiverse(same, 9, 1).sort()).toEqual([0, 1, 2]);
    expect(selectDiverse([], 3, 1)).toEqual([]);
    expect(selectDiverse(same, 0, 1)).toEqual([]);
  });
});
