import { describe, expect, it } from 'vitest';
import { agreed, type Guessed } from '../../../gateway/train/pseudo.ts';

const at = (x: number, y: number, cls: number, score: number): Guessed => ({
  embedding: Int8Array.of(x, y),
  cls,
  score,
});
const LEFT = { embedding: Int8Array.of(-50, 0), cls: 0 };
const RIGHT = { embedding: Int8Array.of(50, 0), cls: 1 };

describe('agreed()', () => {
  it('takes the surer half of each class, so that no class is left out', () => {
    const windows = [
      at(-40, 1, 0, 200),
      at(-41, 2, 0, 180),
      at(-42, 3, 0, 190),
      at(-43, 4, 0, 150),
      at(40, 5, 1, 20),
      at(41, 6, 1, 10),
    ];
    expect(agreed(windows, [LEFT, RIGHT])).toEqual([0, 2, 4]);
  });

  it('leaves out what the nearest labelled window contradicts', () => {
    const windows = [at(-40, 0, 1, 250), at(40, 0, 1, 240), at(41, 1, 1, 100), at(42, 2, 1, 90)];
    expect(agreed(windows, [LEFT, RIGHT])).toEqual([1]);
  });

  it('measures nearness in deviations, not in units', () => {
    // the second number is wide: by units the window would be nearest to the other label
    const windows = [
      at(-10, 100, 0, 90),
      at(10, -100, 1, 80),
      at(-10, -100, 0, 1),
      at(10, 100, 1, 1),
    ];
    const labelled = [
      { embedding: Int8Array.of(-10, -100), cls: 0 },
      { embedding: Int8Array.of(16, 100), cls: 1 },
    ];
    expect(agreed(windows, labelled)).toEqual([0]);
  });

  it('takes none of none, and throws RangeError without labels or with other embeddings', () => {
    expect(agreed([], [LEFT])).toEqual([]);
    expect(() => agreed([at(1, 1, 0, 1)], [])).toThrow(RangeError);
    const other = { embedding: Int8Array.of(1), cls: 0 };
    expect(() => agreed([at(1, 1, 0, 1)], [other])).toThrow(RangeError);
  });
});
