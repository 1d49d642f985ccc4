import { createRandom } from '../random.ts';

/** Maps a vector to random features whose inner products are about the Gaussian kernel's values. */
export interface RandomFeatures {
  /** values of a map */
  readonly size: number;
  /** Adds the features of x, times `weight`, to a sum. */
  addTo(sum: Float64Array, x: ArrayLike<number>, weight: number): void;
}

/**
 * Random Fourier features of the kernel exp(-‖x - y‖² / (2 width²)): a cosine and a sine of each
 * frequency, so that every map has length 1.
 *
 * @param dimensions length of a vector
 * @param frequencies how many; the kernel's error falls with their square root
 * @param width of the kernel, in the vectors' unit
 * @param seed of the frequencies
 * @returns the map
 * @source Rahimi and Recht 2007, Random Features for Large-Scale Kernel Machines, theorem 1; Sutherland
 *   and Schneider 2015, On the Error of Random Fourier Features (cosine and sine vary less)
 * @example ((f, s) => (f.addTo(s, [0.3, 2], 1), s.reduce((a, b) => a + b * b, 0).toFixed(12)))(createRandomFeatures(2, 3, 1, 1), new Float64Array(6)) // '1.000000000000'
 */
export function createRandomFeatures(
  dimensions: number,
  frequencies: number,
  width: number,
  seed: number,
): RandomFeatures {
  const random = createRandom(seed);
  const weights = Float64Array.from(
    { length: frequencies * dimensions },
    () => random.gaussian() / width,
  );
  const scale = Math.sqrt(1 / frequencies);
  return {
    size: 2 * frequencies,
    addTo(sum, x, weight) {
      const times = scale * weight;
      for (let k = 0, at = 0; k < frequencies; k++) {
        let angle = 0;
        for (let i = 0; i < dimensions; i++) angle += weights[at++] * x[i];
        sum[2 * k] += times * Math.cos(angle);
        sum[2 * k + 1] += times * Math.sin(angle);
      }
    },
  };
}
