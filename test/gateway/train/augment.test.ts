import { describe, expect, it } from 'vitest';
import { loadTask } from '../../../gateway/task.ts';
import {
  type AugmentOptions,
  augment,
  type LabelledWindow,
} from '../../../gateway/train/augment.ts';

/** As the gesture task varies its windows. */
const WRIST = loadTask('gesture').training.augment;
const NONE: AugmentOptions = {
  perClass: 300,
  tempo: 0,
  bend: 0,
  shiftSamples: 0,
  amplitude: 0,
  rotationDegrees: 0,
  gain: 0,
  noise: 0,
  offset: 0,
};

/** A window of 50 samples, `length` of them filled from `value(t, axis)`. */
function windowOf(
  length: number,
  cls: number,
  value: (t: number, axis: number) => number,
): LabelledWindow {
  const window = new Int8Array(150);
  for (let i = 0; i < length * 3; i++) window[i] = value(Math.floor(i / 3), i % 3);
  return { window, length, cls };
}

const wave = windowOf(30, 0, (t, a) => 60 * Math.sin(t / 3 + a) + 20 * a);
const upright = windowOf(25, 0, (_t, a) => (a === 2 ? 100 : 0));

function deviation(values: number[]): number {
  const mean = values.reduce((a, b) => a + b) / values.length;
  return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
}

describe('augment', () => {
  it('augment() copies when nothing is to be varied', () => {
    for (const { window, length } of augment([wave], 3, 1, NONE)) {
      expect(length).toBe(30);
      expect(window).toEqual(wave.window);
    }
  });

  it('augment() makes classes equal and draws from all of their windows', () => {
    const other = windowOf(20, 4, (t) => t);
    const third = windowOf(20, 4, (t) => 3 * t);
    const made = augment([other, wave, third], 3, 1, NONE);
    expect(made).toHaveLength(600);
    expect(made.filter(({ cls }) => cls === 0)).toHaveLength(300);
    const ofThird = made.filter(({ window }) => window[3] === 3).length;
    expect(Math.abs(ofThird - 150)).toBeLessThan(45);
  });

  it('augment() repeats itself when seeded alike, and makes no copy of a copy', () => {
    const made = augment([wave], 3, 7, WRIST);
    expect(made).toHaveLength(400);
    expect(augment([wave], 3, 7, WRIST)).toEqual(made);
    expect(augment([wave], 3, 8, WRIST)).not.toEqual(made);
    expect(new Set(made.map(({ window }) => window.join())).size).toBe(400);
  });

  it('augment() pads with zeros and leaves its examples alone', () => {
    const before = wave.window.slice();
    for (const { window, length } of augment([wave], 3, 2, WRIST)) {
      expect(length).toBeGreaterThanOrEqual(8);
      expect(length).toBeLessThanOrEqual(50);
      expect(window.subarray(length * 3).every((value) => value === 0)).toBe(true);
    }
    expect(wave.window).toEqual(before);
  });

  it('augment() saturates what leaves int8', () => {
    const loud = windowOf(20, 0, (_t, a) => (a === 0 ? -128 : 127));
    const made = augment([loud], 3, 2, { ...NONE, gain: 0.2 });
    for (const { window } of made) {
      expect(window[0]).toBeLessThan(-50);
      expect(window[1]).toBeGreaterThan(50);
    }
    expect(
      made.filter(({ window }) => window[0] === -128 && window[1] === 127).length,
    ).toBeGreaterThan(100);
  });

  it('tempo alone changes the length, log-normally, and keeps the ends', () => {
    const made = augment([wave], 3, 1, { ...NONE, tempo: 0.15, perClass: 2000 });
    const logs = made.map(({ length }) => Math.log(length / 30));
    expect(Math.abs(deviation(logs) - 0.15)).toBeLessThan(0.015);
    for (const { window, length } of made) {
      expect(window[0]).toBe(wave.window[0]);
      expect(window[length * 3 - 1]).toBe(wave.window[30 * 3 - 1]);
    }
  });

  it('bend alone moves the middle and keeps the ends', () => {
    const ramp = windowOf(41, 0, (t) => 3 * t);
    const made = augment([ramp], 3, 1, { ...NONE, bend: 0.15 });
    const middles = made.map(({ window }) => window[20 * 3] - 60);
    // at the middle only the first bend acts: 0.15 / π of 120
    expect(Math.abs(deviation(middles) - (0.15 / Math.PI) * 120)).toBeLessThan(1);
    for (const { window } of made) expect([window[0], window[40 * 3]]).toEqual([0, 120]);
  });

  it('shiftSamples alone moves start and end, each by itself', () => {
    const ramp = windowOf(41, 0, (t) => 3 * t - 60);
    const made = augment([ramp], 3, 1, { ...NONE, shiftSamples: 2 });
    // half of the starts are earlier than what there is, and repeat the first sample
    const starts = made.map(({ window }) => (window[0] + 60) / 3);
    const ends = made.map(({ window }) => (60 - window[40 * 3]) / 3);
    for (const moved of [starts, ends]) {
      expect(Math.abs(moved.filter((m) => m === 0).length - 150)).toBeLessThan(60);
      const square = moved.reduce((sum, m) => sum + m * m, 0) / moved.length;
      expect(Math.abs(Math.sqrt(2 * square) - 2)).toBeLessThan(0.4);
    }
    const both = starts.filter((start, i) => start > 0 && ends[i] > 0).length;
    expect(Math.abs(both - 75)).toBeLessThan(45);
  });

  it('amplitude alone stretches the movement about its mean', () => {
    const swing = windowOf(40, 0, (t, a) => 10 * a + (t % 2 === 0 ? 20 : -20));
    const made = augment([swing], 3, 1, { ...NONE, amplitude: 0.3 });
    const logs = made.map(({ window }) => Math.log((window[2] - window[5]) / 40));
    expect(Math.abs(deviation(logs) - 0.3)).toBeLessThan(0.04);
    for (const { window } of made) expect(Math.abs(window[2] + window[5] - 40)).toBeLessThan(2);
  });

  it('rotationDegrees alone turns every sample alike and keeps its length', () => {
    const made = augment([upright], 3, 1, { ...NONE, rotationDegrees: 10, perClass: 2000 });
    const tilts = made.map(({ window }) => {
      expect(Math.abs(Math.hypot(window[0], window[1], window[2]) - 100)).toBeLessThan(1);
      expect(window.slice(0, 3)).toEqual(window.slice(72, 75));
      return (Math.atan2(window[0], window[2]) * 180) / Math.PI;
    });
    expect(Math.abs(deviation(tilts) - 10)).toBeLessThan(1);
  });

  it('rotationDegrees turns about the axis too', () => {
    const sideways = windowOf(10, 0, (_t, a) => (a === 0 ? 100 : 0));
    const made = augment([sideways], 3, 1, { ...NONE, rotationDegrees: 10, perClass: 2000 });
    const yaws = made.map(({ window }) => (Math.atan2(window[1], window[0]) * 180) / Math.PI);
    const pitches = made.map(({ window }) => (Math.atan2(window[2], window[0]) * 180) / Math.PI);
    expect(Math.abs(deviation(yaws) - 10)).toBeLessThan(1);
    expect(Math.abs(deviation(pitches) - 10)).toBeLessThan(1);
  });

  it('gain alone scales the whole window', () => {
    const made = augment([upright], 3, 1, { ...NONE, gain: 0.1, perClass: 2000 });
    const logs = made.map(({ window }) => Math.log(window[2] / 100));
    expect(Math.abs(deviation(logs) - 0.1)).toBeLessThan(0.01);
    for (const { window } of made) expect([window[0], window[74]]).toEqual([0, window[2]]);
  });

  it('noise and offset are shares of the mean magnitude', () => {
    const noisy = augment([upright], 3, 1, { ...NONE, noise: 0.08 });
    const all = noisy.flatMap(({ window }) => [...window.slice(0, 75)].filter((_, i) => i % 3 < 2));
    expect(Math.abs(deviation(all) - 8)).toBeLessThan(0.2);
    const moved = augment([upright], 3, 1, { ...NONE, offset: 0.1, perClass: 2000 });
    expect(Math.abs(deviation(moved.map(({ window }) => window[1])) - 10)).toBeLessThan(0.6);
    for (const { window } of moved) expect(window[1]).toBe(window[73]);
  });

  it('augment() works for one axis and windows of any size when nothing is turned', () => {
    const options = { ...WRIST, rotationDegrees: 0 };
    const single = { window: Int8Array.from({ length: 6 }, (_, i) => i), length: 5, cls: 1 };
    for (const { window, length } of augment([single], 1, 1, options)) {
      expect(window).toHaveLength(6);
      expect(length).toBe(6);
    }
  });

  it('augment() refuses windows that do not fit', () => {
    const short = { window: new Int8Array(30), length: 5, cls: 0 };
    expect(() => augment([wave, short], 3, 1, WRIST)).toThrow(RangeError);
    expect(() => augment([short], 4, 1, WRIST)).toThrow(RangeError);
    expect(() => augment([short], 2, 1, WRIST)).toThrow(/rotationDegrees/);
    expect(augment([], 3, 1, WRIST)).toEqual([]);
  });
});
