import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import { fitStandardisedSoftmax } from '../../../gateway/train/standardised.ts';

const options = { l2: 0.01, labelSmoothing: 0, iterations: 150, learningRate: 0.1 };

/** Two classes, apart in both features; the second is large and far from zero. */
function clouds(scale: number, offset: number) {
  const random = createRandom(4);
  const n = 60;
  const x = new Float32Array(2 * n);
  const y = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    y[i] = i % 2;
    x[2 * i] = (y[i]! * 2 - 1) * 0.6 + random.uniform(-1, 1);
    x[2 * i + 1] = offset + scale * ((y[i]! * 2 - 1) * 0.6 + random.uniform(-1, 1));
  }
  return { data: { x, n, features: 2 }, y };
}

function logits(layer: ReturnType<typeof fitStandardisedSoftmax>, x: readonly number[]): number[] {
  return [...layer.bias].map(
    (b, c) => b + layer.weights[2 * c]! * x[0]! + layer.weights[2 * c + 1]! * x[1]!,
  );
}

describe('fitStandardisedSoftmax()', () => {
  it('gives the same answers however a feature is scaled and shifted', () => {
    const plain = clouds(1, 0);
    const far = clouds(50, 700);
    const [a, b] = [plain, far].map(({ data, y }) => fitStandardisedSoftmax(data, y, 2, options));
    for (let i = 0; i < plain.data.n; i++) {
      const [p, q] = [
        logits(a!, [plain.data.x[2 * i]!, plain.data.x[2 * i + 1]!]),
        logits(b!, [far.data.x[2 * i]!, far.data.x[2 * i + 1]!]),
      ];
      expect(q[1]! - q[0]!).toBeCloseTo(p[1]! - p[0]!, 2);
    }
  });

  it('tells the classes apart on features as they are', () => {
    const { data, y } = clouds(50, 700);
    const layer = fitStandardisedSoftmax(data, y, 2, options);
    expect(layer).toMatchObject({ type: 'dense', inputs: 2, outputs: 2, relu: false });
    let right = 0;
    for (let i = 0; i < data.n; i++) {
      const [a, b] = logits(layer, [data.x[2 * i]!, data.x[2 * i + 1]!]);
      if (Number(b! > a!) === y[i]) right++;
    }
    expect(right / data.n).toBeGreaterThan(0.85);
  });

  it('does not blow up a feature that hardly moves', () => {
    const { data, y } = clouds(1, 0);
    // the second feature tells the class, by a thousandth of a unit
    const x = data.x.map((value, i) => (i % 2 === 1 ? 5 + y[(i - 1) / 2]! / 1000 : value));
    const layer = fitStandardisedSoftmax({ ...data, x }, y, 2, options);
    expect(Math.abs(layer.weights[1]!)).toBeLessThan(8);
    expect(Math.abs(layer.weights[3]!)).toBeLessThan(8);
    expect(layer.weights.every(Number.isFinite)).toBe(true);
  });

  it('leaves its data as they were', () => {
    const { data, y } = clouds(50, 700);
    const before = [...data.x];
    fitStandardisedSoftmax(data, y, 2, options);
    expect([...data.x]).toEqual(before);
  });

  it('throws RangeError on a class that is none', () => {
    const { data } = clouds(1, 0);
    const y = new Int32Array(data.n).fill(2);
    expect(() => fitStandardisedSoftmax(data, y, 2, options)).toThrow(RangeError);
  });
});
