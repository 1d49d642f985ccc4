import { describe, expect, it } from 'vitest';
import { selectUseful, type Unlabelled } from '../../../gateway/train/select.ts';

const at = (x: number, y: number, score = 100): Unlabelled => ({
  embedding: Int8Array.of(x, y),
  score,
});

/** Four heaps of five, at the corners of a square. */
const CORNERS = [
  [-50, -50],
  [50, -50],
  [-50, 50],
  [50, 50],
] as const;
const HEAPS = CORNERS.flatMap(([x, y]) =>
  [
    [0, 0],
    [9, 0],
    [-9, 0],
    [0, 9],
    [0, -9],
  ].map(([dx, dy]) => at(x + dx!, y + dy!)),
);

const heapOf = (i: number) => Math.floor(i / 5);

describe('selectUseful()', () => {
  it('takes one of each heap before two of any', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const chosen = selectUseful(HEAPS, { count: 4, seed });
      expect(chosen.map(heapOf).toSorted(), `seed ${seed}`).toEqual([0, 1, 2, 3]);
    }
  });

  it('leaves out a heap that has a label', () => {
    const labelled = [HEAPS[7]!.embedding, HEAPS[18]!.embedding];
    const chosen = selectUseful(HEAPS, { count: 2, seed: 3, labelled });
    expect(chosen.map(heapOf).toSorted()).toEqual([0, 2]);
  });

  it('goes first where the model is in doubt', () => {
    const doubtful = 2;
    const windows = HEAPS.map((window, i) => ({
      ...window,
      score: heapOf(i) === doubtful ? 20 : 90,
    }));
    for (let seed = 1; seed <= 5; seed++) {
      const [first] = selectUseful(windows, { count: 1, seed });
      expect(heapOf(first!)).toBe(doubtful);
    }
  });

  it('prefers many windows to a stray one', () => {
    const stray = at(127, 127);
    const [first] = selectUseful([stray, ...HEAPS.slice(0, 5)], { count: 1, seed: 1 });
    expect(first).toBe(1);
  });

  it('counts a feature by its deviation, not by its size', () => {
    // the first feature tells two heaps apart by little, the second is wide and says nothing
    const windows = [0, 1].flatMap((heap) =>
      [-100, -50, 0, 50, 100].map((y) => at(heap === 0 ? -6 : 6, y)),
    );
    const chosen = selectUseful(windows, { count: 2, seed: 1 });
    expect(chosen.map(heapOf).toSorted()).toEqual([0, 1]);
  });

  it('gives a smaller budget as the beginning of a larger one, and repeats itself', () => {
    const windows = Array.from({ length: 600 }, (_, i) =>
      at((i * 37) % 100, (i * 71) % 100, i % 200),
    );
    const all = selectUseful(windows, { count: 600, seed: 3 });
    expect(all.toSorted((a, b) => a - b)).toEqual(windows.map((_, i) => i));
    for (const count of [0, 1, 2, 7])
      expect(selectUseful(windows, { count, seed: 3 })).toEqual(all.slice(0, count));
    // 512 of 600 are looked at: another seed, others
    expect(selectUseful(windows, { count: 50, seed: 4 })).not.toEqual(all.slice(0, 50));
  });

  it('never chooses more than there are, nor the same twice, nor any of none', () => {
    const same = [at(1, 1), at(1, 1), at(1, 1)];
    expect(selectUseful(same, { count: 9, seed: 1 }).toSorted()).toEqual([0, 1, 2]);
    expect(selectUseful([], { count: 3, seed: 1 })).toEqual([]);
    expect(selectUseful([], { count: 3, seed: 1, labelled: [Int8Array.of(1)] })).toEqual([]);
  });

  it('throws RangeError where embeddings differ in length', () => {
    const other = { embedding: Int8Array.of(1), score: 0 };
    expect(() => selectUseful([at(1, 1), other], { count: 1, seed: 1 })).toThrow(RangeError);
    const labelled = [Int8Array.of(1)];
    expect(() => selectUseful([at(1, 1)], { count: 1, seed: 1, labelled })).toThrow(RangeError);
  });
});
