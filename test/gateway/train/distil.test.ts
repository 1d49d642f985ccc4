import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import { distil, prepareLesson } from '../../../gateway/train/distil.ts';
import type { Scorer } from '../../../gateway/train/kernel-machine.ts';
import { createPredictor, encodeModel } from '../../../gateway/train/model.ts';

/** A teacher whose classes are a ring and what it surrounds: nothing that a line tells apart. */
const ring: Scorer = ({ x, n, features }) => {
  const scores = new Float64Array(2 * n);
  for (let s = 0; s < n; s++) {
    const inside = 1 - Math.hypot(x[s * features]!, x[s * features + 1]!) / 60;
    scores[2 * s] = inside;
    scores[2 * s + 1] = -inside;
  }
  return scores;
};

function windows(seed: number, count: number): Int8Array[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () =>
    Int8Array.from({ length: 2 }, () => Math.round(random.uniform(-100, 100))),
  );
}

const specs = [
  { type: 'dense', units: 16, activation: 'relu' },
  { type: 'dense', units: 2, activation: 'none' },
] as const;

describe('prepareLesson()', () => {
  it('asks the teacher about every window and about variations between them', () => {
    const real = [Int8Array.of(-100, 40), Int8Array.of(100, 80)];
    const lesson = prepareLesson(ring, real, 200, 3);
    expect(lesson.real).toBe(2);
    expect(lesson.windows.slice(0, 2)).toEqual(real);
    expect(lesson.windows).toHaveLength(202);
    expect(lesson.scores).toHaveLength(404);
    const invented = lesson.windows.slice(2);
    const between = invented.filter(([x]) => Math.abs(x!) < 60);
    expect(between.length).toBeGreaterThan(20);
    // on the line between both, but for the noise
    const off = between.map(([x, y]) => Math.abs(y! - 60 - x! / 5));
    expect(Math.max(...off)).toBeLessThan(60);
    expect(prepareLesson(ring, real, 200, 3)).toEqual(lesson);
    expect(prepareLesson(ring, real, 200, 4)).not.toEqual(lesson);
  });

  it('refuses to ask about nothing', () => {
    expect(() => prepareLesson(ring, [], 10, 1)).toThrow(RangeError);
  });
});

describe('distil()', () => {
  it('gives an int8 net that answers as the teacher on windows that neither has seen', async () => {
    const lesson = prepareLesson(ring, windows(1, 300), 600, 1);
    const model = await distil(lesson, specs, { seed: 1, epochs: 30 });
    const predict = createPredictor(encodeModel(model));
    const unseen = windows(2, 300);
    const truth = ring({
      x: Float32Array.from(unseen.flatMap((w) => [...w])),
      n: 300,
      features: 2,
    });
    const agreed = unseen.filter((window, s) => {
      const cls = truth[2 * s]! > truth[2 * s + 1]! ? 0 : 1;
      return predict(window, 1).cls === cls;
    });
    expect(agreed.length).toBeGreaterThan(270);
    expect(encodeModel(await distil(lesson, specs, { seed: 1, epochs: 30 }))).toEqual(
      encodeModel(model),
    );
  });

  it('stops when the signal is raised', async () => {
    const lesson = prepareLesson(ring, windows(1, 20), 0, 1);
    const options = { seed: 1, epochs: 5, signal: AbortSignal.abort() };
    await expect(distil(lesson, specs, options)).rejects.toMatchObject({ code: 'cancelled' });
  });
});
