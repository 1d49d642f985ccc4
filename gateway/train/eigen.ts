/** Sweeps over all pairs; a dozen are plenty for the sizes here, a symmetric matrix needs 6 to 10. */
const SWEEPS = 30;
/** Off-diagonal share below which a matrix counts as diagonal. */
const DONE = 1e-22;

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations.
 *
 * @param matrix [n][n], symmetric; not changed
 * @param n rows
 * @returns values [n] in no order, and vectors [n][n], the k-th row for the k-th value, of length 1
 * @throws RangeError if the matrix is not n × n
 * @source Golub and Van Loan, Matrix Computations, 4th edition, algorithm 8.5.2
 * @example eigen(Float64Array.of(2, 1, 1, 2), 2).values.map((v) => Math.round(v)).sort() // Float64Array.of(1, 3)
 */
export function eigen(
  matrix: Float64Array,
  n: number,
): { values: Float64Array; vectors: Float64Array } {
  if (matrix.length !== n * n) throw new RangeError(`${matrix.length} numbers are not ${n} × ${n}`);
  const a = matrix.slice();
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let off = 0;
    let on = 0;
    for (let i = 0; i < n * n; i++) {
      if (i % (n + 1) === 0) on += a[i] ** 2;
      else off += a[i] ** 2;
    }
    if (off <= DONE * on) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) turn(a, v, n, p, q);
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]), vectors: v };
}

/** One rotation, after which element (p, q) is 0. */
function turn(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q];
  if (apq === 0) return;
  const tau = (a[q * n + q] - a[p * n + p]) / (2 * apq);
  const t = (tau < 0 ? -1 : 1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
  const c = 1 / Math.sqrt(1 + t * t);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const kp = a[k * n + p];
    const kq = a[k * n + q];
    a[k * n + p] = c * kp - s * kq;
    a[k * n + q] = s * kp + c * kq;
  }
  for (let k = 0; k < n; k++) {
    const pk = a[p * n + k];
    const qk = a[q * n + k];
    a[p * n + k] = c * pk - s * qk;
    a[q * n + k] = s * pk + c * qk;
    const vp = v[p * n + k];
    const vq = v[q * n + k];
    v[p * n + k] = c * vp - s * vq;
    v[q * n + k] = s * vp + c * vq;
  }
}
