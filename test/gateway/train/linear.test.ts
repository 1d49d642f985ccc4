import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import { loadTask } from '../../../gateway/task.ts';
import { builtin } from '../../../gateway/train/builtin.ts';
import { fitRidge, fitSoftmax } from '../../../gateway/train/linear.ts';
import type { FloatDense, FloatNet } from '../../../gateway/train/net.ts';

/** As the gesture task fits its heads. */
const { l2, labelSmoothing, linear } = loadTask('gesture').training;
const FIT = { l2, labelSmoothing, ...linear };
const FEATURES = 9;
const CLASSES = 4;

/** Overlapping clouds, one a class, far from the origin. */
function clouds(n: number, seed: number) {
  const random = createRandom(seed);
  const labels = Int32Array.from({ length: n }, (_, i) => i % CLASSES);
  const x = Float32Array.from({ length: n * FEATURES }, (_, i) => {
    const cls = labels[Math.floor(i / FEATURES)];
    return random.gaussian() + 0.7 + ((i % FEATURES) % CLASSES === cls ? 1.5 : 0);
  });
  const weight = Float32Array.from({ length: n }, () => random.uniform(0.2, 2));
  return { data: { x, n, features: FEATURES, weight }, labels };
}

const netOf = (layer: FloatDense): FloatNet => ({
  input: { length: 1, channels: layer.inputs },
  layers: [layer],
});

function steepest(gradients: Float32Array[]): number {
  return Math.max(...gradients.flatMap((gradient) => [...gradient].map(Math.abs)));
}

function share(layer: FloatDense, seed: number): number {
  const { data, labels } = clouds(800, seed);
  const logits = builtin.predict(netOf(layer), data.x, data.n);
  const right = labels.filter((label, s) => {
    const row = [...logits.subarray(s * CLASSES, (s + 1) * CLASSES)];
    return row.indexOf(Math.max(...row)) === label;
  });
  return right.length / data.n;
}

describe('linear', () => {
  it.each([
    [0.001, 0],
    [0.1, 0.2],
  ])('fitSoftmax() finds the optimum when l2 is %d and smoothing %d', (l2, labelSmoothing) => {
    const { data, labels } = clouds(301, 1);
    const options = { l2, labelSmoothing, iterations: 2000, learningRate: 0.05 };
    const layer = fitSoftmax(data, labels, CLASSES, options);
    const gradients = builtin.gradients(netOf(layer), { ...data, y: labels }, options);
    expect(steepest(gradients)).toBeLessThan(1e-4);
    expect(Math.hypot(...layer.weights)).toBeGreaterThan(0.3);
  });

  it('fitSoftmax() with its defaults is as good as the optimum on unseen samples', () => {
    const { data, labels } = clouds(400, 1);
    const quick = fitSoftmax(data, labels, CLASSES, FIT);
    const patient = fitSoftmax(data, labels, CLASSES, { ...FIT, iterations: 2000 });
    expect(share(quick, 2)).toBeGreaterThan(0.8);
    expect(Math.abs(share(quick, 2) - share(patient, 2))).toBeLessThan(0.02);
  });

  it('fitSoftmax() treats a weight of two as the sample twice', () => {
    const { data, labels } = clouds(40, 3);
    const weight = new Float32Array(40).fill(1).fill(2, 0, 20);
    const doubled = {
      x: Float32Array.of(...data.x, ...data.x.subarray(0, 20 * FEATURES)),
      n: 60,
      features: FEATURES,
    };
    const twice = Int32Array.of(...labels, ...labels.subarray(0, 20));
    // the mean is over samples, weighted or not: 60 of them weigh 1.5 times as much as 40
    const options = { ...FIT, iterations: 1000 };
    const a = fitSoftmax({ ...data, weight }, labels, CLASSES, { ...options, l2: 0.15 });
    const b = fitSoftmax(doubled, twice, CLASSES, { ...options, l2: 0.1 });
    a.weights.forEach((value, i) => {
      expect(value).toBeCloseTo(b.weights[i], 3);
    });
  });

  it('fitSoftmax() learns one class when there is but one', () => {
    const { data } = clouds(20, 3);
    const layer = fitSoftmax(data, new Int32Array(20).fill(2), CLASSES, FIT);
    expect(layer.bias.indexOf(Math.max(...layer.bias))).toBe(2);
    expect(layer.weights.every(Number.isFinite)).toBe(true);
  });

  it('fitRidge() finds the optimum, biases not held back', () => {
    const { data } = clouds(120, 4);
    const random = createRandom(5);
    const y = Float32Array.from({ length: 120 }, (_, s) => {
      return 50 + 2 * data.x[s * FEATURES] - data.x[s * FEATURES + 1] + random.gaussian();
    });
    const layer = fitRidge(data, y, 1, 0.3);
    const mean = data.weight.reduce((a, b) => a + b) / 120;
    // its error is a mean over weights, that of the trainers a mean over samples
    const gradients = builtin.gradients(netOf(layer), { ...data, y }, { l2: 2 * 0.3 * mean });
    expect(steepest(gradients)).toBeLessThan(1e-3);
    expect(layer.bias[0]).toBeGreaterThan(45);
  });

  it('fitRidge() recovers several outputs when nearly nothing holds it back', () => {
    const { data } = clouds(60, 6);
    const y = Float32Array.from({ length: 120 }, (_, i) => {
      const row = data.x.subarray(Math.floor(i / 2) * FEATURES);
      return i % 2 === 0 ? 3 * row[2] + 1 : row[4] - row[5];
    });
    const layer = fitRidge(data, y, 2, 1e-6);
    expect(layer.weights[2]).toBeCloseTo(3, 3);
    expect(layer.weights[FEATURES + 5]).toBeCloseTo(-1, 3);
    expect(layer.bias[0]).toBeCloseTo(1, 3);
  });

  it('fitSoftmax() and fitRidge() refuse what does not fit', () => {
    const { data, labels } = clouds(8, 1);
    const y = new Float32Array(8);
    expect(() => fitSoftmax(data, labels, 3, FIT)).toThrow(RangeError);
    expect(() => fitSoftmax(data, labels.slice(1), CLASSES, FIT)).toThrow(RangeError);
    expect(() => fitSoftmax({ ...data, n: 0, x: y.slice(8) }, labels.slice(8), 2, FIT)).toThrow(
      RangeError,
    );
    expect(() => fitRidge({ ...data, weight: y.slice(1) }, y, 1, 1)).toThrow(RangeError);
    expect(() => fitRidge(data, y, 1, 0)).toThrow(RangeError);
  });
});
