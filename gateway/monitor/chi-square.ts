/**
 * Upper tail of the chi-square distribution.
 *
 * @param x at least 0
 * @param df degrees of freedom, above 0; need not be whole
 * @returns P(X ≥ x)
 * @throws RangeError if x or df is out of range
 * @source Abramowitz and Stegun 1964, 26.4.19, 6.5.29 (series) and 6.5.31 (continued fraction)
 * @example chiSquareTail(16.918977604620448, 9).toFixed(12) // '0.050000000000'
 */
export function chiSquareTail(x: number, df: number): number {
  if (!(x >= 0 && df > 0)) throw new RangeError(`no chi-square of ${df} degrees: ${x}`);
  const a = df / 2;
  const z = x / 2;
  if (z === 0) return 1;
  const front = Math.exp(a * Math.log(z) - z - logGamma(a));
  return z < a + 1 ? 1 - front * series(a, z) : front * fraction(a, z);
}

function series(a: number, z: number): number {
  let term = 1 / a;
  let sum = term;
  for (let k = 1; term > sum * 1e-16; k++) {
    term *= z / (a + k);
    sum += term;
  }
  return sum;
}

// Lentz's method
function fraction(a: number, z: number): number {
  const tiny = 1e-300;
  let b = z + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let product = d;
  for (let k = 1; k < 10_000; k++) {
    const factor = -k * (k - a);
    b += 2;
    d = factor * d + b;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = b + factor / c;
    if (Math.abs(c) < tiny) c = tiny;
    product *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return product;
}

/** Stirling's series, from 10 upward by the recurrence. */
function logGamma(a: number): number {
  let shift = 0;
  let x = a;
  for (; x < 10; x++) shift += Math.log(x);
  const r = 1 / (x * x);
  const tail = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + tail - shift;
}
