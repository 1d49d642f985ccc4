import { binomialLowerTail } from '../statistics.ts';
import { round } from './report.ts';

/** The mean of some figures. */
export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Normal quantile of a two-sided 95 %. */
const Z = 1.959963984540054;

/**
 * Mean of some figures, with Student's 95 % interval.
 *
 * @param values one a seed
 * @param digits behind the point
 * @returns value and interval; no interval of a single figure
 * @throws RangeError of no figure
 * @source Student 1908; quantile by Abramowitz and Stegun 26.7.5, within 0.3 % from 5 figures on
 * @example meanOf([1, 2, 3, 4, 5], 2) // { value: 3, interval: [1.04, 4.96] }
 */
export function meanOf(
  values: readonly number[],
  digits: number,
): { value: number; interval?: [number, number] } {
  const n = values.length;
  if (n === 0) throw new RangeError('no mean of nothing');
  const mean = average(values);
  if (n === 1) return { value: round(mean, digits) };
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const reach = studentQuantile(n - 1) * Math.sqrt(square / n);
  const interval: [number, number] = [round(mean - reach, digits), round(mean + reach, digits)];
  return { value: round(mean, digits), interval };
}

function studentQuantile(freedom: number): number {
  const z = Z;
  return (
    z +
    (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
  );
}

/**
 * Median of some figures, the greater of two, with an interval of at least 95 % that supposes nothing
 * about how they are distributed; of fewer than six figures it is their range, and less sure.
 *
 * @param values one a seed; Infinity where a figure was not reached
 * @throws RangeError of no figure
 * @source Conover 1999, section 3.2 (order statistics)
 * @example medianOf([5, 1, 2, 4, 3, 6, 8, 7]) // { value: 5, interval: [1, 8] }
 */
export function medianOf(values: readonly number[]): { value: number; interval: [number, number] } {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  if (n === 0) throw new RangeError('no median of nothing');
  let out = 0;
  while (out + 1 < n / 2 && 2 * binomialLowerTail(out, n, 0.5) <= 0.05) out++;
  const low = Math.max(0, out - 1);
  return { value: sorted[Math.floor(n / 2)]!, interval: [sorted[low]!, sorted[n - 1 - low]!] };
}
