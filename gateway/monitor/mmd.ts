import { chiSquareTail } from './chi-square.ts';
import { type Comparison, finite, level, type TwoSampleDetector, testLevel } from './detector.ts';
import { createRandomFeatures, type RandomFeatures } from './random-features.ts';

/** Settings of {@link mmd}. */
export interface MmdOptions {
  /** length of a vector */
  dimensions?: number;
  /** first vectors, which say what is normal */
  reference?: number;
  /** newest vectors, which are compared with them */
  window?: number;
  /** random frequencies of the kernel: fewer are faster, and blinder */
  frequencies?: number;
  /** of the frequencies */
  seed?: number;
  /** values between false alarms; sets `alpha` */
  runLength?: number;
  /** significance of each comparison */
  alpha?: number;
}

/** What the reference came to. */
export interface MmdNormal {
  means: number[];
  scales: number[];
  /** of the kernel, in scaled units: median distance of two vectors */
  width: number;
  /** mean of the reference's maps */
  mean: number[];
  /** of the covariance of the maps: trace, root of its squares' sum, largest eigenvalue */
  trace: number;
  norm: number;
  largest: number;
}

/** What MMD remembers. */
export interface MmdState {
  /** the first vectors, until there are enough; then empty */
  collecting: number[][];
  normal: MmdNormal | null;
  /** newest vectors, a ring */
  ring: number[][];
  /** sum of their maps */
  sum: number[];
  tick: number;
}

/** Pairs of the reference whose distances give the kernel's width. */
const pairs = 500;
/** Steps of the power iteration; an eigenvalue that is off by a few percent moves no threshold. */
const powerSteps = 50;
/** Squares below this are rounding: maps have length 1. */
const rounding = 1e-12;

/**
 * Maximum mean discrepancy between the newest vectors and a reference, over all features together:
 * sees changes of how features hang together, which no test of single ones sees; does not say which
 * feature moved (for that see {@link features}).
 *
 * The kernel is Gaussian, of the median distance's width, over features that are scaled to the
 * reference; random Fourier features make it a distance of two means, so that a vector costs
 * O(frequencies × dimensions) whatever the window's length. Memory: `reference` vectors while it
 * collects, then `window` vectors and a few means. After a change it starts anew. River has no such
 * detector.
 *
 * While nothing changes, the squared distance is about a weighted sum of chi-squares, whose weights
 * are the eigenvalues of the maps' covariance. Here it is a single chi-square with that mean, variance
 * and largest eigenvalue, which decides how fast the tail falls; the reference estimates all three. So
 * the run length holds about, for references of some hundred vectors, and not by a theorem.
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector; a value is a vector of `dimensions` finite numbers
 * @throws RangeError if a setting is out of its range
 * @source Gretton et al. 2012, A Kernel Two-Sample Test, theorem 12 (the distribution while nothing
 *   changes); Imhof 1961, Computing the Distribution of Quadratic Forms, section 4 (a chi-square with
 *   some of its moments); features: {@link createRandomFeatures}
 * @example ((d) => Array.from({ length: 600 }, (_, i) => [((i * 37) % 101) + (i < 400 ? 0 : 60), (i * 7) % 5]).findIndex((x) => d.update(x)))(mmd({ dimensions: 2, reference: 200, window: 100 })) // 437
 */
export function mmd(
  options: MmdOptions = {},
  state?: MmdState,
): TwoSampleDetector<MmdState, ArrayLike<number>> {
  const { dimensions = 1, reference: n = 400, window: m = 200, frequencies = 64 } = options;
  const { seed = 1, runLength = 10_000 } = options;
  for (const size of [dimensions, n - 1, m, frequencies]) {
    if (!(Number.isInteger(size) && size > 0)) throw new RangeError(`no count: ${size}`);
  }
  const alpha = level('alpha', options.alpha ?? testLevel(runLength));
  const fresh = (): MmdState => ({ collecting: [], normal: null, ring: [], sum: [], tick: 0 });
  let s: MmdState = structuredClone(state ?? fresh());
  let map: RandomFeatures | undefined;
  let sum = Float64Array.from(s.sum);
  let found: Comparison | undefined;
  if (s.normal !== null) map = createRandomFeatures(dimensions, frequencies, s.normal.width, seed);

  function settle(): void {
    const { means, scales } = scaling(s.collecting, dimensions);
    const scaled = s.collecting.map((x) => x.map((v, i) => (v - means[i]) / scales[i]));
    const width = medianDistance(scaled);
    const features = createRandomFeatures(dimensions, frequencies, width, seed);
    const maps = scaled.map((x) => {
      const one = new Float64Array(features.size);
      features.addTo(one, x, 1);
      return one;
    });
    s.normal = { means, scales, width, ...spread(maps) };
    s.collecting = [];
    map = features;
    sum = new Float64Array(features.size);
  }

  function compare(): Comparison {
    const { mean, trace, norm, largest } = s.normal as MmdNormal;
    let squared = 0;
    for (let i = 0; i < mean.length; i++) squared += (sum[i] / m - mean[i]) ** 2;
    const statistic = Math.sqrt(squared);
    // a reference that never moved: whatever is not rounding is a change
    if (largest < rounding) return { statistic, pValue: Number(squared < rounding) };
    // in units of the largest: as many chi-squares as give the variance, moved to the mean
    const df = (norm / largest) ** 2;
    const x = (squared / (1 / n + 1 / m) - trace) / largest + df;
    return { statistic, pValue: chiSquareTail(Math.max(0, x), df) };
  }

  function add(x: readonly number[], weight: number): void {
    map?.addTo(sum, x, weight);
  }

  return {
    update(x) {
      if (x.length !== dimensions) throw new RangeError(`${x.length} features, not ${dimensions}`);
      const vector = Array.from(x, finite);
      found = undefined;
      if (s.normal === null) {
        s.collecting.push(vector);
        if (s.collecting.length === n) settle();
        return false;
      }
      const { means, scales } = s.normal;
      const scaled = vector.map((v, i) => (v - means[i]) / scales[i]);
      const slot = s.tick++ % m;
      if (s.ring.length === m) add(s.ring[slot], -1);
      s.ring[slot] = scaled;
      add(scaled, 1);
      if (s.ring.length < m) return false;
      // once a round the sum is taken anew, so that rounding does not pile up
      if (slot === m - 1) {
        sum.fill(0);
        for (const one of s.ring) add(one, 1);
      }
      const now = compare();
      if (now.pValue > alpha) return false;
      found = now;
      s = fresh();
      return true;
    },
    state: () => ({ ...structuredClone(s), sum: s.normal === null ? [] : [...sum] }),
    get comparison() {
      if (found === undefined && s.ring.length === m) found = compare();
      return found;
    },
  };
}

/** Mean and deviation of each feature; a feature that never moved is taken as it is. */
function scaling(vectors: readonly number[][], dimensions: number) {
  const means: number[] = [];
  const scales: number[] = [];
  for (let i = 0; i < dimensions; i++) {
    const mean = vectors.reduce((total, x) => total + x[i], 0) / vectors.length;
    const squares = vectors.reduce((total, x) => total + (x[i] - mean) ** 2, 0);
    const deviation = Math.sqrt(squares / vectors.length);
    means.push(mean);
    scales.push(deviation > 1e-12 * Math.abs(mean) ? deviation : Math.abs(mean) || 1);
  }
  return { means, scales };
}

/** Median distance of vectors that came half a reference apart and other such pairs; 1 if it is 0. */
function medianDistance(vectors: readonly number[][]): number {
  const distances: number[] = [];
  for (let k = 0; k < pairs; k++) {
    const a = vectors[k % vectors.length];
    const shift = 1 + ((k * 7919) % (vectors.length - 1));
    const b = vectors[(k + shift) % vectors.length];
    distances.push(Math.sqrt(a.reduce((total, v, i) => total + (v - b[i]) ** 2, 0)));
  }
  return distances.sort((a, b) => a - b)[pairs / 2] || 1;
}

/** Mean of the maps, and what the tail needs of the eigenvalues of their covariance. */
function spread(maps: readonly Float64Array[]) {
  const size = maps[0].length;
  const mean = new Array<number>(size).fill(0);
  for (const one of maps) for (let i = 0; i < size; i++) mean[i] += one[i] / maps.length;
  const covariance = Array.from({ length: size }, () => new Float64Array(size));
  for (const one of maps) {
    for (let i = 0; i < size; i++) {
      const off = (one[i] - mean[i]) / (maps.length - 1);
      for (let j = 0; j < size; j++) covariance[i][j] += off * (one[j] - mean[j]);
    }
  }
  const trace = covariance.reduce((total, row, i) => total + row[i], 0);
  const norm = Math.sqrt(covariance.reduce((t, row) => t + row.reduce((u, v) => u + v * v, 0), 0));
  return { mean, trace, norm, largest: largestEigenvalue(covariance) };
}

function largestEigenvalue(matrix: readonly Float64Array[]): number {
  let vector = matrix.map((_, i) => 1 + i / matrix.length);
  let length = 0;
  for (let step = 0; step < powerSteps; step++) {
    const next = matrix.map((row) => row.reduce((total, v, j) => total + v * vector[j], 0));
    length = Math.hypot(...next);
    if (length === 0) return 0;
    vector = next.map((v) => v / length);
  }
  return length;
}
