/** Samples that a machine learns from or is asked about. */
export interface Rows {
  /** [n][features], each feature about standard normal */
  x: Float32Array;
  n: number;
  features: number;
}

export interface KernelOptions {
  /** width of the kernel exp(-scale/features · |a - b|²) */
  scale: number;
  /** what an error costs beside the margin; from about 100 on the margin is a hard one */
  cost: number;
}

/** Gives every class a number: [n][classes]; the greatest of a row is the answer. */
export type Scorer = (rows: Rows) => Float64Array;

/** What the optimum may be missed by, as in LIBSVM. */
const TOLERANCE = 1e-3;
/** Steps after which a machine that did not get there is good enough; LIBSVM's least limit is greater. */
const MOST_STEPS = 100_000;
const LEAST_CURVATURE = 1e-12;

/**
 * Fits support vector machines with a Gaussian kernel, each class against all others: a teacher for
 * the gateway, since no device keeps samples. Prefer it to a linear head where classes are curves in
 * the space of the features, as gases are, whose amount bends them.
 *
 * @param rows samples
 * @param labels [n] classes
 * @param classes how many; one without a sample never wins
 * @param options width and cost
 * @returns distances to the margin, 1 on it
 * @throws RangeError if labels and samples do not fit each other
 * @source Fan, Chen and Lin 2005, 'Working set selection using second order information', algorithm 2
 */
export function fitKernelMachine(
  rows: Rows,
  labels: Int32Array,
  classes: number,
  { scale, cost }: KernelOptions,
): Scorer {
  const { n, features } = rows;
  if (labels.length !== n || n < 1) throw new RangeError(`${labels.length} labels, ${n} samples`);
  const gamma = scale / features;
  const kernel = kernelOf(rows, rows, gamma);
  const machines = Array.from({ length: classes }, (_, cls) => {
    const sign = Int8Array.from(labels, (label) => (label === cls ? 1 : -1));
    return sign.includes(1) && sign.includes(-1) ? solve(kernel, sign, cost) : null;
  });
  const used = Array.from({ length: n }, (_, i) => i).filter((i) =>
    machines.some((m) => m && m.weight[i] !== 0),
  );
  const support = pick(rows, used);
  return (asked) => {
    const scores = new Float64Array(asked.n * classes);
    const near = kernelOf(asked, support, gamma);
    machines.forEach((machine, cls) => {
      for (let s = 0; s < asked.n; s++) {
        let sum = machine === null ? -1 : machine.bias;
        if (machine !== null) {
          for (let k = 0; k < used.length; k++) {
            sum += machine.weight[used[k]!]! * near[s * used.length + k]!;
          }
        }
        scores[s * classes + cls] = sum;
      }
    });
    return scores;
  };
}

function pick({ x, features }: Rows, indices: readonly number[]): Rows {
  const picked = new Float32Array(indices.length * features);
  indices.forEach((i, k) => {
    picked.set(x.subarray(i * features, (i + 1) * features), k * features);
  });
  return { x: picked, n: indices.length, features };
}

/** [a.n][b.n] */
function kernelOf(a: Rows, b: Rows, gamma: number): Float32Array {
  const { features } = a;
  const out = new Float32Array(a.n * b.n);
  const squares = [a, b].map(({ x, n }) => {
    const sums = new Float64Array(n);
    for (let i = 0; i < x.length; i++) sums[Math.floor(i / features)]! += x[i]! * x[i]!;
    return sums;
  });
  for (let i = 0; i < a.n; i++) {
    const p = a.x.subarray(i * features, (i + 1) * features);
    // of one set with itself the other half is its mirror
    for (let j = a === b ? i : 0; j < b.n; j++) {
      let dot = 0;
      for (let f = 0, at = j * features; f < features; f++, at++) dot += p[f]! * b.x[at]!;
      const distance = Math.max(0, squares[0]![i]! + squares[1]![j]! - 2 * dot);
      out[i * b.n + j] = Math.exp(-gamma * distance);
      if (a === b) out[j * b.n + i] = out[i * b.n + j]!;
    }
  }
  return out;
}

/** One class against the others: Σ weight · kernel + bias. */
function solve(
  kernel: Float32Array,
  sign: Int8Array,
  cost: number,
): { weight: Float64Array; bias: number } {
  const n = sign.length;
  const alpha = new Float64Array(n);
  const gradient = new Float64Array(n).fill(-1);
  const canRise = (t: number): boolean => (sign[t] === 1 ? alpha[t]! < cost : alpha[t]! > 0);
  const canFall = (t: number): boolean => (sign[t] === 1 ? alpha[t]! > 0 : alpha[t]! < cost);
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    let i = -1;
    let top = -Infinity;
    for (let t = 0; t < n; t++) {
      const slope = -sign[t]! * gradient[t]!;
      if (slope > top && canRise(t)) {
        top = slope;
        i = t;
      }
    }
    let j = -1;
    let low = Infinity;
    let best = 0;
    const row = i * n;
    for (let t = 0; t < n; t++) {
      if (!canFall(t)) continue;
      const slope = -sign[t]! * gradient[t]!;
      low = Math.min(low, slope);
      const gap = top - slope;
      if (gap <= 0) continue;
      const gain = (gap * gap) / Math.max(2 - 2 * kernel[row + t]!, LEAST_CURVATURE);
      if (gain > best) {
        best = gain;
        j = t;
      }
    }
    if (j < 0 || top - low < TOLERANCE) break;
    const curvature = Math.max(2 - 2 * kernel[row + j]!, LEAST_CURVATURE);
    let move = (top + sign[j]! * gradient[j]!) / curvature;
    // both stay between 0 and the cost
    move = Math.min(move, sign[i] === 1 ? cost - alpha[i]! : alpha[i]!);
    move = Math.min(move, sign[j] === 1 ? alpha[j]! : cost - alpha[j]!);
    alpha[i] = clip(alpha[i]! + sign[i]! * move, cost);
    alpha[j] = clip(alpha[j]! - sign[j]! * move, cost);
    for (let t = 0; t < n; t++) {
      gradient[t]! += sign[t]! * move * (kernel[row + t]! - kernel[j * n + t]!);
    }
  }
  return { weight: alpha.map((a, t) => a * sign[t]!), bias: biasOf(alpha, gradient, sign, cost) };
}

function clip(alpha: number, cost: number): number {
  if (alpha < 1e-12) return 0;
  return alpha > cost - 1e-9 ? cost : alpha;
}

/** Where the margin's own samples lie on it; else midway between what bounds it. */
function biasOf(
  alpha: Float64Array,
  gradient: Float64Array,
  sign: Int8Array,
  cost: number,
): number {
  let sum = 0;
  let free = 0;
  let upper = Infinity;
  let lower = -Infinity;
  for (let t = 0; t < alpha.length; t++) {
    const slope = sign[t]! * gradient[t]!;
    if (alpha[t]! > 0 && alpha[t]! < cost) {
      sum += slope;
      free++;
    } else if ((alpha[t] === 0) === (sign[t] === 1)) upper = Math.min(upper, slope);
    else lower = Math.max(lower, slope);
  }
  return -(free > 0 ? sum / free : (upper + lower) / 2);
}
