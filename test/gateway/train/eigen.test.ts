import { expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import { eigen } from '../../../gateway/train/eigen.ts';

it('eigen() takes a symmetric matrix apart so that it can be put together again', () => {
  const random = createRandom(3);
  const n = 12;
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = random.gaussian();
  }
  const { values, vectors } = eigen(a, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      let dot = 0;
      for (let k = 0; k < n; k++) {
        sum += values[k]! * vectors[k * n + i]! * vectors[k * n + j]!;
        dot += vectors[i * n + k]! * vectors[j * n + k]!;
      }
      expect(sum).toBeCloseTo(a[i * n + j]!, 9);
      expect(dot).toBeCloseTo(i === j ? 1 : 0, 9);
    }
  }
});

it('eigen() throws RangeError unless the matrix is square', () => {
  expect(() => eigen(new Float64Array(5), 2)).toThrow(RangeError);
});
