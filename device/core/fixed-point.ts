import { POW2 } from './arithmetic.ts';

/* Numbers in [-1, 1) as int32, one is 2^31 - 1; with n integer bits, one is 2^(31-n). */

/**
 * The product of two such numbers, rounded half up.
 *
 * @param a int32
 * @param b int32; not both -2^31
 * @returns int32
 * @source gemmlowp SaturatingRoundingDoublingHighMul: its halves away from zero, of a product that is
 *   moved by one below zero, are halves upwards
 * @example highProduct(1073741824, 1073741824) // 536870912
 */
export function highProduct(a: number, b: number): number {
  const high = Math.floor(a / 65536);
  return Math.floor((high * b + Math.floor(((a - high * 65536) * b + 1073741824) / 65536)) / 32768);
}

/* exp(-2^(k-2)), k = 0 to 6. */
const EXPS = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];

/**
 * exp of a number that is not positive.
 *
 * @param a int32 with `bits` integer bits, at most 0
 * @param bits 4 or 5
 * @returns int32 without integer bits
 * @source gemmlowp exp_on_negative_values (fixedpoint.h): a quarter's remainder by a polynomial about
 *   -1/8, then a factor for each bit of the rest
 * @example expOfNegative(-67108864, 5) // 790015308
 */
export function expOfNegative(a: number, bits: number): number {
  if (a === 0) return 2147483647;
  const quarter = POW2[29 - bits];
  const rest = Math.floor(a / quarter) * quarter;
  const x = (a - rest - quarter) * POW2[bits] + 268435456;
  const x2 = highProduct(x, x);
  const x4 = Math.floor(highProduct(x2, x2) / 4 + 0.5);
  const sum = highProduct(x4 + highProduct(x2, x), 715827883) + x2;
  const half = sum / 2;
  let result =
    1895147668 +
    highProduct(1895147668, x + (half < 0 ? -Math.floor(0.5 - half) : Math.floor(half + 0.5)));
  const steps = -rest / quarter - 1;
  for (let k = 0; k < bits + 2; k++) {
    if (Math.floor(steps / POW2[k]) % 2 === 1) result = highProduct(result, EXPS[k]);
  }
  return result;
}

/**
 * 1 / (1 + x) for x from 0 to 1.
 *
 * @param x int32 without integer bits, 0 or positive
 * @returns int32 without integer bits
 * @source gemmlowp one_over_one_plus_x_for_x_in_0_1: three Newton-Raphson steps from 48/17 - 32/17·d
 * @example reciprocalOf(0) // 2147483647
 */
export function reciprocalOf(x: number): number {
  const half = Math.floor((x + 2147483648) / 2);
  let y = 1515870810 + highProduct(half, -1010580540);
  let step: number;
  for (let i = 0; i < 3; i++) {
    step = highProduct(y, 536870912 - highProduct(half, y)) * 4;
    y += Math.max(-2147483648, Math.min(2147483647, step));
  }
  return Math.min(2147483647, y * 2);
}
