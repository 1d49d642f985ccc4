/**
 * Thresholds by simulation, for detectors whose run length no theorem gives; made and checked by
 * `npx whetstone bench run-lengths`.
 *
 * For each run length R the smallest threshold at which, on every stream of a family, the mean of
 * min(T, 4R) over seeded trials is at least 1.1 R, where T is the first alarm: cut off so that a few
 * endless runs cannot pass for many short ones, and with a tenth to spare for the trials' chance.
 */
export const simulatedRunLengths = [100, 1000, 10_000, 100_000] as const;
/** deviations above DDM's best; after 30 errors, error rates 0.02 to 0.9 */
const ddmTable = [1.6, 2.05, 2.25, 2.4];
/** -ln of HDDM-W's confidence; one-sided, error rates 0.02 to 0.5 */
const hddmWTable = [2.5, 6.9, 10.9, 14.7];
/** Page-Hinkley's threshold in deviations, delta a quarter, no fading; normal, uniform, bits of 0.5 and 0.1 */
const pageHinkleyTable = [5.9, 11.8, 18, 24.4];

/** The λ for which HDDM-W was simulated: River's default. */
export const hddmWSimulatedLambda = 0.05;

/**
 * DDM's threshold for a run length.
 *
 * @param runLength values between false alarms
 * @returns deviations above the best rate
 * @throws RangeError if runLength is outside what was simulated, 100 to 100,000
 */
export function ddmThreshold(runLength: number): number {
  return between(ddmTable, runLength);
}

/**
 * HDDM-W's confidence for a run length, at {@link hddmWSimulatedLambda}, one-sided.
 *
 * @throws RangeError as {@link ddmThreshold}
 */
export function hddmWConfidence(runLength: number): number {
  return Math.exp(-between(hddmWTable, runLength));
}

/**
 * Page-Hinkley's threshold for a run length, with delta a quarter of the stream's deviation.
 *
 * @returns in deviations of the stream
 * @throws RangeError as {@link ddmThreshold}
 */
export function pageHinkleyThreshold(runLength: number): number {
  return between(pageHinkleyTable, runLength);
}

/** Between the simulated run lengths: linear in their logarithm, as tails that fall exponentially are. */
function between(table: readonly number[], runLength: number): number {
  if (!(runLength >= simulatedRunLengths[0] && runLength <= simulatedRunLengths.at(-1)!)) {
    throw new RangeError(`a run length is 100 to 100,000 here, not ${runLength}`);
  }
  const at = Math.log10(runLength / simulatedRunLengths[0]);
  const i = Math.min(table.length - 2, Math.floor(at));
  return table[i] + (at - i) * (table[i + 1] - table[i]);
}
