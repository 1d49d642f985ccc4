import type { Dot } from './arithmetic.ts';
import { MOTION } from './options.ts';

/* Values that one axis gives: five points, mean, deviation, mean change, crossings. */
const PER_AXIS = 9;

/**
 * How many features a set has.
 *
 * @param set 1 statistics, 2 motion (three axes)
 * @param axes values a sample has
 * @example featureCount(1, 3) // 27
 * @example featureCount(2, 3) // 50
 */
export function featureCount(set: number, axes: number): number {
  return set === 1 ? PER_AXIS * axes : 50;
}

/** How many axes a set with so many features has. */
export function featureAxes(set: number, count: number): number {
  return set === 1 ? count / PER_AXIS : 3;
}

/* floor(√|v|) with the sign of v. Espruino's √ is its pow: √9 > 3. */
function root(v: number): number {
  const size = v < 0 ? -v : v;
  let r = Math.floor(Math.sqrt(size) + 0.5);
  if (r * r > size) r--;
  return v < 0 ? 0 - r : r;
}

/* Products between axes, at lags: what set 2 has beyond the channels. */
function motion(out: number[], rows: Int16Array[], sums: number[], n: number, dot: Dot): void {
  const norm = Math.max(1, root(sums[0] * sums[0] + sums[1] * sums[1] + sums[2] * sums[2]));
  const lagged = function (lag: number, a: number, b: number): number {
    return dot(rows[a].subarray(0, n - lag), rows[b].subarray(lag, n));
  };
  let a: number;
  let b: number;
  let c: number;
  let along: number;
  let size: number;
  let area: number;
  let areas: number[];
  for (let lag = 0; lag < 4; lag++) {
    along = 0;
    size = 0;
    areas = [];
    for (a = 0; a < 3; a++) {
      b = (a + 1) % 3;
      c = (a + 2) % 3;
      if (lag === 0) {
        out.push(root((256 * lagged(0, b, c)) / n));
      } else {
        area = (256 * (lagged(lag, b, c) - lagged(lag, c, b))) / n;
        area = area < 0 ? 0 - Math.floor(-area) : Math.floor(area);
        along += area * sums[a];
        size += area * area;
        areas.push(area);
      }
    }
    if (lag > 0) out.push(root(along / norm), root(root(size)));
    if (lag === 1) out.push(root(areas[0]), root(areas[1]), root(areas[2]));
    if (lag === 1 || lag === 2) {
      for (a = 0; a < 3; a++) out.push(root((512 * lagged(lag, a, a)) / n));
    }
  }
  out.push(16 * n);
}

/**
 * Integer features of a window, bit for bit the same wherever they are computed.
 *
 * Set 1, an axis after the other: the value at 0, 1/4, 1/2, 3/4 and the end of the movement
 * (interpolated), the mean, the deviation, the mean |change| from sample to sample, and how often
 * the mean is crossed; all times 16. Set 2 begins with set 1 and goes on with the last four of the
 * magnitude, the covariances yz, zx, xy, then for lags of 1, 2 and 3 samples the area that the
 * movement sweeps about the mean vector (the vertical, for an accelerometer) and the size of that
 * area, neither of which depends on how the sensor is turned; for lag 1 the area's components, for
 * lags 1 and 2 the autocovariances; last the length. Products come as 16 times their signed root.
 *
 * @param set 1 statistics (any axes), 2 motion (three axes)
 * @param window int8 [samples][axes], zero after its n samples
 * @param n samples that are not padding; fewer than 4 count as 4
 * @param samples a window has, 4 or more
 * @param axes values a sample has
 * @param dot exact dot product, of int16 arrays here
 * @returns integers, featureCount(set, axes) of them
 */
export function features(
  set: number,
  window: Int8Array,
  n: number,
  samples: number,
  axes: number,
  dot: Dot,
): number[] {
  const out: number[] = [];
  const rows: Int16Array[] = [];
  const sums: number[] = [];
  n = Math.min(Math.max(n, 4), samples);
  const ones = new Int16Array(n).fill(1);
  let i: number;
  let j: number;
  let at: number;
  let row: Int16Array;
  let sum: number;
  let mean: number;
  let value: number;
  let last: number;
  let change: number;
  let crossings: number;
  let above: boolean;

  for (let a = 0; a < axes + set - 1; a++) {
    row = new Int16Array(n);
    at = a;
    for (i = 0; i < n; i++) {
      row[i] = window[at];
      at += axes;
    }
    if (MOTION && a === axes) {
      for (i = 0; i < n; i++) {
        at = i * 3;
        row[i] = root(
          window[at] * window[at] +
            window[at + 1] * window[at + 1] +
            window[at + 2] * window[at + 2],
        );
      }
    } else {
      for (j = 0; j < 5; j++) {
        i = Math.floor((j * (n - 1)) / 4);
        at = j * (n - 1) - 4 * i;
        out.push(4 * (row[i] * (4 - at) + row[Math.min(i + 1, n - 1)] * at));
      }
    }
    sum = dot(row, ones);
    mean = Math.floor(sum / n);
    change = 0;
    crossings = 0;
    last = row[0];
    above = last > mean;
    for (i = 0; i < n; i++) {
      value = row[i];
      change += value < last ? last - value : value - last;
      if (value > mean !== above) {
        above = !above;
        crossings++;
      }
      last = value;
      row[i] = value - mean;
    }
    out.push(Math.floor((16 * sum) / n), root((256 * dot(row, row)) / n));
    out.push(Math.floor((16 * change) / (n - 1)), 16 * crossings);
    rows.push(row);
    sums.push(sum);
  }
  if (MOTION && set === 2) motion(out, rows, sums, n, dot);
  return out;
}
