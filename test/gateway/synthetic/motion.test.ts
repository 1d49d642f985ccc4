import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import { gestureNames, movements } from '../../../gateway/synthetic/gestures.ts';
import { type Motion, motion } from '../../../gateway/synthetic/motion.ts';
import {
  apply,
  feel,
  minimumJerk,
  minimumJerkAcceleration,
  rotation,
} from '../../../gateway/synthetic/sensor.ts';
import { someoneElse, wearer } from '../../../gateway/synthetic/wearer.ts';
import { loadTask } from '../../../gateway/task.ts';

const task = loadTask('gesture');

/** Gestures as points of 10 × 3 values, each with its class. */
function points(source: Motion, count: number): { x: number[]; cls: number }[] {
  const out: { x: number[]; cls: number }[] = [];
  let gesture: number[][] = [];
  let cls: number | null = null;
  while (out.length < count) {
    const sample = source.next();
    if (sample.cls !== null) {
      gesture.push(sample.values);
      cls = sample.cls;
    } else if (cls !== null) {
      const x: number[] = [];
      for (let i = 0; i < 10; i++) x.push(...gesture[Math.floor((i * gesture.length) / 10)]);
      out.push({ x, cls });
      gesture = [];
      cls = null;
    }
  }
  return out;
}

/** Share of `test` whose nearest neighbour in `train` has the same class. */
function nearest(train: ReturnType<typeof points>, test: ReturnType<typeof points>): number {
  let right = 0;
  for (const t of test) {
    let best = train[0];
    let least = Number.POSITIVE_INFINITY;
    for (const r of train) {
      const distance = r.x.reduce((sum, v, i) => sum + (v - t.x[i]) ** 2, 0);
      if (distance < least) [best, least] = [r, distance];
    }
    if (best.cls === t.cls) right++;
  }
  return right / test.length;
}

describe('motion()', () => {
  it('gives the same stream for the same seed and another for another', () => {
    const take = (seed: number) => {
      const stream = motion(task, wearer(1), seed);
      return Array.from({ length: 200 }, () => stream.next());
    };
    expect(take(3)).toEqual(take(3));
    expect(take(3)).not.toEqual(take(4));
  });

  it('stays within the sensor and makes every class', () => {
    const stream = motion(task, { ...wearer(1), gain: 4 }, 5);
    const seen = new Set<number | null>();
    let saturated = 0;
    for (let i = 0; i < 3000; i++) {
      const { values, cls } = stream.next();
      seen.add(cls);
      for (const value of values) {
        expect(Number.isInteger(value)).toBe(true);
        expect(value).toBeGreaterThanOrEqual(-128);
        expect(value).toBeLessThanOrEqual(127);
        if (value === -128) saturated++;
      }
    }
    expect(seen).toEqual(new Set([null, 0, 1, 2, 3, 4, 5]));
    expect(saturated).toBeGreaterThan(0);
    expect(stream.index).toBe(3000);
  });

  it('feels one g at rest', () => {
    const stream = motion(task, wearer(2), 6);
    for (let i = 0; i < 1000; i++) {
      const { values, cls } = stream.next();
      if (cls !== null) continue;
      expect(Math.abs(Math.hypot(...values) - 32)).toBeLessThan(6);
    }
  });

  it('knows the class of a stretch of samples', () => {
    const stream = motion(task, wearer(2), 7);
    let sample = stream.next();
    while (sample.cls === null) sample = stream.next();
    const from = stream.index - 1;
    const { cls } = sample;
    while (sample.cls !== null) sample = stream.next();
    expect(stream.truth(from - 2, stream.index + 3)).toBe(cls);
    expect(stream.truth(0, from)).toBe(null);
    expect(stream.truth(stream.index, stream.index + 10)).toBe(null);
  });

  it('changes the wearer when the hand rests', () => {
    const first = wearer(1);
    const second = someoneElse(first, 2);
    const stream = motion(task, first, 8);
    while (stream.next().cls === null);
    stream.wear(second);
    expect(stream.wearer).toBe(first);
    while (stream.next().cls !== null);
    expect(stream.wearer).toBe(second);
  });

  it('makes gestures that can be learned, and that fail on someone else', () => {
    const anna = wearer(1);
    const train = points(motion(task, anna, 10), 200);
    const own = nearest(train, points(motion(task, anna, 11), 100));
    expect(own).toBeGreaterThan(0.85);
    for (const seed of [2, 3, 4]) {
      const other = nearest(train, points(motion(task, someoneElse(anna, seed), 12), 100));
      expect(other).toBeLessThan(0.6);
    }
  });

  it('throws RangeError when the sensor is no accelerometer or a class is unknown', () => {
    const flat = { ...task, sensor: { ...task.sensor, axes: ['x'] } };
    expect(() => motion(flat, wearer(1), 1)).toThrow(RangeError);
    expect(() => motion({ ...task, classes: ['upup', 'nod'] }, wearer(1), 1)).toThrow(/'nod'/);
  });
});

describe('movements()', () => {
  it('ends every gesture where it began', () => {
    const random = createRandom(9);
    for (const name of gestureNames) {
      const list = movements(name, wearer(3), random);
      for (const k of [0, 1, 2]) {
        expect(list.reduce((sum, m) => sum + m.move[k], 0)).toBeCloseTo(0, 10);
        expect(list.reduce((sum, m) => sum + m.turn[k], 0)).toBeCloseTo(0, 10);
      }
    }
  });

  it('mirrors the turning of the forearm on the other hand', () => {
    const left = wearer(3);
    const turned = (hand: 'left' | 'right') =>
      movements('waggle', { ...left, hand }, createRandom(4))[0].turn[1];
    expect(Math.sign(turned('left'))).toBe(1);
    expect(Math.sign(turned('right'))).toBe(-1);
  });
});

describe('minimumJerk()', () => {
  it('goes from rest to rest', () => {
    expect([-1, 0, 0.5, 1, 2].map(minimumJerk)).toEqual([0, 0, 0.5, 1, 1]);
    expect(minimumJerkAcceleration(0.25)).toBe(5.625);
  });

  it('has minimumJerkAcceleration() as its second derivative', () => {
    const h = 1e-4;
    for (const u of [0.1, 0.37, 0.8]) {
      const second = (minimumJerk(u + h) - 2 * minimumJerk(u) + minimumJerk(u - h)) / (h * h);
      expect(second).toBeCloseTo(minimumJerkAcceleration(u), 4);
    }
  });
});

describe('rotation()', () => {
  it('keeps lengths and angles', () => {
    const r = rotation([20, -50, 75]);
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        const dot = r[i].reduce((sum, v, k) => sum + v * r[j][k], 0);
        expect(dot).toBeCloseTo(i === j ? 1 : 0, 10);
      }
    }
  });

  it('turns about one axis by one angle', () => {
    const [x, y, z] = apply(rotation([90, 0, 0]), [0, 0, 1]);
    expect([x, y, z].map((v) => Math.round(v * 1e9) / 1e9)).toEqual([0, 1, 0]);
  });
});

describe('feel()', () => {
  it('is gravity alone at rest, as Bangle.js signs it', () => {
    const [x, y, z] = feel([], 0, [0, 0, 0], rotation([0, 0, 0]));
    expect([x, y, z]).toEqual([-0, -0, -1]);
  });

  it('adds the acceleration of a movement to the right', () => {
    const list = [{ start: 0, duration: 0.5, move: [0.2, 0, 0], turn: [0, 0, 0] }];
    const [x] = feel(list as never, 0.125, [0, 0, 0], rotation([0, 0, 0]));
    expect(x).toBeCloseTo((-0.2 * 5.625) / 0.25 / 9.80665, 10);
  });
});
