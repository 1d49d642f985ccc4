/*
 * The fixed-point arithmetic of TensorFlow Lite's kernels in 64-bit integers, written from gemmlowp's
 * definitions and not from the code under test: slow, plain, and what the fast forms must equal.
 */

const MAX = 2n ** 31n - 1n;
const MIN = -(2n ** 31n);

const int32 = (value: bigint): bigint => BigInt.asIntN(32, value);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** SaturatingRoundingDoublingHighMul: ties towards plus infinity. */
export function highMul(a: bigint, b: bigint): bigint {
  return a === MIN && b === MIN ? MAX : (a * b + 2n ** 30n) >> 31n;
}

/** RoundingDivideByPOT: ties away from zero. */
export function divideByPower(x: bigint, exponent: bigint): bigint {
  const mask = 2n ** exponent - 1n;
  const threshold = (mask >> 1n) + (x < 0n ? 1n : 0n);
  return (x >> exponent) + ((x & mask) > threshold ? 1n : 0n);
}

/** MultiplyByQuantizedMultiplier, with double rounding. */
export function multiplyBy(x: bigint, { m, s }: { m: bigint; s: bigint }): bigint {
  return divideByPower(highMul(int32(x << larger(s, 0n)), m), larger(-s, 0n));
}

/** C's frexp of a positive double: fraction in [0.5, 1), as value · 2^53, and exponent. */
function frexp(value: number): { fraction: bigint; exponent: bigint } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const fraction = (bits & (2n ** 52n - 1n)) | (2n ** 52n);
  return { fraction, exponent: ((bits >> 52n) & 2047n) - 1022n };
}

/** QuantizeMultiplier of a normal double. */
export function multiplierOf(real: number): { m: bigint; s: bigint } {
  if (real === 0) return { m: 0n, s: 0n };
  const { fraction, exponent } = frexp(real);
  const rounded = (fraction + 2n ** 21n) >> 22n; // 53 to 31 bits
  const carried = rounded === 2n ** 31n;
  const s = exponent + (carried ? 1n : 0n);
  return s < -31n ? { m: 0n, s: 0n } : { m: carried ? 2n ** 30n : rounded, s };
}

/** SaturatingRoundingMultiplyByPOT to the left. */
function shiftLeft(value: bigint, by: bigint): bigint {
  const threshold = 2n ** (31n - by) - 1n;
  if (value > threshold) return MAX;
  return value < -threshold ? MIN : value << by;
}

/** exp_on_negative_values of a number with so many integer bits; the result has none. */
export function expOnNegative(a: bigint, bits: bigint): bigint {
  if (a === 0n) return MAX;
  const frac = 31n - bits;
  const quarter = 2n ** (frac - 2n);
  const modulo = (a & (quarter - 1n)) - quarter;
  const remainder = modulo - a;
  const x = (modulo << bits) + 2n ** 28n;
  const x2 = highMul(x, x);
  const x3 = highMul(x2, x);
  const x4 = highMul(x2, x2);
  const tail = divideByPower(highMul(divideByPower(x4, 2n) + x3, 715827883n) + x2, 1n);
  let y = 1895147668n + highMul(1895147668n, x + tail);
  const factors = [1672461947n, 1302514674n, 790015084n, 290630308n, 39332535n, 720401n, 242n];
  factors.forEach((factor, i) => {
    const exponent = BigInt(i) - 2n;
    if (exponent < bits && (remainder & (2n ** (frac + exponent))) !== 0n) y = highMul(y, factor);
  });
  return y;
}

/** one_over_one_plus_x_for_x_in_0_1. */
export function oneOverOnePlus(a: bigint): bigint {
  const sum = a + MAX;
  const half = sum >= 0n ? (sum + 1n) / 2n : (sum - 1n) / 2n;
  let x = 1515870810n + highMul(half, -1010580540n);
  for (let i = 0; i < 3; i++) x += shiftLeft(highMul(x, 2n ** 29n - highMul(half, x)), 2n);
  return shiftLeft(x, 1n);
}
