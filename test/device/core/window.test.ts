import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  pushSample,
  startWindows,
  type Window,
  type WindowOptions,
} from '../../../device/core/window.ts';

const gesture: WindowOptions = {
  mode: 'gesture',
  axes: 2,
  samples: 10,
  stride: 10,
  threshold: 5,
  quiet: 3,
  preRoll: 2,
  least: 4,
};
const sliding: WindowOptions = { ...gesture, mode: 'sliding', samples: 4, stride: 3 };

/** All windows of a stream, each with the index of the sample that finished it. */
function cut(options: WindowOptions, stream: number[][]): (Window & { at: number })[] {
  const state = startWindows(options);
  const found: (Window & { at: number })[] = [];
  stream.forEach((sample, at) => {
    const window = pushSample(state, sample);
    if (window !== undefined) found.push({ ...window, at });
  });
  return found;
}

/** A still sensor with its first axis at these values and its second at 1. */
const line = (...values: number[]): number[][] => values.map((v) => [v, 1]);
const firsts = (w: Window): number[] => Array.from(w.values).filter((_, i) => i % 2 === 0);

describe('pushSample()', () => {
  it('pushSample() gives pre-roll, movement and zeros when a gesture is short', () => {
    const found = cut(gesture, line(7, 8, 9, 20, 40, 20, 9, 8, 8, 8, 8));
    expect(found).toHaveLength(1);
    expect(found[0].at).toBe(9);
    expect(found[0].n).toBe(6);
    expect(firsts(found[0])).toEqual([8, 9, 20, 40, 20, 9, 0, 0, 0, 0]);
    expect(Array.from(found[0].values).filter((_, i) => i % 2 === 1)).toEqual([
      1, 1, 1, 1, 1, 1, 0, 0, 0, 0,
    ]);
  });

  it('pushSample() ignores what follows a full window until it is quiet', () => {
    const wild = Array.from({ length: 17 }, (_, i) => (i % 2 === 0 ? 50 : -50));
    const stream = line(0, 0, 0, ...wild, 0, 0, 0, 0, 90, 0, 90, 0, 0, 0, 0, 0);
    const found = cut(gesture, stream);
    expect(found.map((w) => [w.at, w.n])).toEqual([
      [10, 10],
      [30, 6],
    ]);
    expect(firsts(found[0])).toEqual([0, 0, 50, -50, 50, -50, 50, -50, 50, -50]);
    expect(firsts(found[1]).slice(0, 6)).toEqual([0, 0, 90, 0, 90, 0]);
  });

  it('pushSample() drops a bump that is shorter than the least', () => {
    const bump = line(0, 0, 0, 30, 30, 30, 30, 30);
    expect(cut({ ...gesture, least: 4 }, bump)).toEqual([]);
    expect(cut({ ...gesture, least: 3 }, bump).map((w) => w.n)).toEqual([3]);
  });

  it('pushSample() opens above the threshold and not at it, summed over the axes', () => {
    const still = [0, 0];
    const quiet = [still, still, still];
    const options = { ...gesture, least: 1 };
    expect(cut(options, [...quiet, [3, -2], ...quiet.map(() => [3, -2])])).toHaveLength(0);
    expect(cut(options, [...quiet, [3, -3], ...quiet.map(() => [3, -3])])).toHaveLength(1);
  });

  it('pushSample() trims the still samples too when they fill the window', () => {
    const stream = line(0, 0, 30, 0, 30, 0, 30, 0, 0, 0, 0, 0, 0);
    const found = cut({ ...gesture, quiet: 5 }, stream);
    expect(found.map((w) => [w.at, w.n])).toEqual([[9, 8]]);
  });

  it('pushSample() keeps its pre-roll when it is all but one of the samples', () => {
    const options = { ...gesture, samples: 4, preRoll: 3, least: 1 };
    const found = cut(options, line(1, 2, 3, 4, 5, 6, 60, 60, 60, 60, 60));
    expect(found.map((w) => [w.at, w.n, firsts(w)])).toEqual([[6, 4, [4, 5, 6, 60]]]);
  });

  it('pushSample() gives overlapping windows when sliding', () => {
    const found = cut(sliding, line(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    expect(found.map((w) => [w.at, w.n, firsts(w)])).toEqual([
      [3, 4, [1, 2, 3, 4]],
      [6, 4, [4, 5, 6, 7]],
      [9, 4, [7, 8, 9, 10]],
    ]);
  });

  it('pushSample() clamps what int8 cannot hold', () => {
    const [window] = cut({ ...sliding, axes: 1 }, [[-500], [500], [-128], [127]]);
    expect(Array.from(window.values)).toEqual([-128, 127, -128, 127]);
  });

  it('pushSample() leaves a finished window alone when the stream goes on', () => {
    const state = startWindows(sliding);
    const window = line(1, 2, 3, 4).map((sample) => pushSample(state, sample))[3]!;
    for (const sample of line(9, 9, 9, 9)) pushSample(state, sample);
    expect(firsts(window)).toEqual([1, 2, 3, 4]);
  });

  it('pushSample() gives stretches of the stream, in order, whatever the stream', () => {
    const options = fc.record({
      mode: fc.constantFrom<'gesture' | 'sliding'>('gesture', 'sliding'),
      axes: fc.constant(1),
      samples: fc.constant(8),
      stride: fc.integer({ min: 1, max: 8 }),
      threshold: fc.integer({ min: 0, max: 60 }),
      quiet: fc.integer({ min: 1, max: 9 }),
      preRoll: fc.integer({ min: 1, max: 7 }),
      least: fc.integer({ min: 1, max: 8 }),
    });
    const level = fc.integer({ min: -128, max: 127 });
    const stream = fc
      .array(fc.tuple(level, fc.integer({ min: 1, max: 4 })), { maxLength: 40 })
      .map((runs) => runs.flatMap(([v, n]) => Array<number>(n).fill(v)));
    const property = fc.property(options, stream, (o, values) => {
      let from = 0;
      for (const w of cut(
        o,
        values.map((v) => [v]),
      )) {
        const least = o.mode === 'gesture' ? o.least : 8;
        expect(w.n).toBeGreaterThanOrEqual(least);
        const text = Array.from(w.values.subarray(0, w.n));
        expect(Array.from(w.values.subarray(w.n)).every((v) => v === 0)).toBe(true);
        // the last sample came at most `quiet` (gesture) samples before the one that finished it
        const places: number[] = [];
        for (let end = w.at; end > w.at - 9 && end >= w.n - 1; end--) {
          if (text.every((v, i) => values[end - w.n + 1 + i] === v)) places.push(end);
        }
        expect(places.length).toBeGreaterThan(0);
        expect(w.at).toBeGreaterThanOrEqual(from);
        from = w.at + 1;
      }
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
