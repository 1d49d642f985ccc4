/** How alarms compare with the drifts that are known. */
export interface Detection {
  /** drifts with an alarm within the tolerance */
  found: number;
  missed: number;
  /** alarms that found no drift: before one, too late, or a second one for the same */
  falseAlarms: number;
  /** mean values from the drift to its alarm; undefined if none was found */
  delay: number | undefined;
  /** share of alarms that found a drift; undefined if there was no alarm */
  precision: number | undefined;
  /** share of drifts that were found */
  recall: number;
  /** harmonic mean of both; 0 if nothing was found */
  f1: number;
}

/**
 * Compares alarms with known drifts: the first alarm from a drift's beginning up to `tolerance` values
 * later finds it; every other alarm is false.
 *
 * @param alarms where they were, ascending
 * @param drifts where they began, ascending, one at least
 * @param tolerance values
 * @returns the figures
 * @example judge([100, 1010, 1020, 2600], [1000, 2000], 500).f1 // 0.3333333333333333
 */
export function judge(
  alarms: readonly number[],
  drifts: readonly number[],
  tolerance: number,
): Detection {
  const delays = drifts.flatMap((drift) => {
    const alarm = alarms.find((at) => at >= drift && at <= drift + tolerance);
    return alarm === undefined ? [] : [alarm - drift];
  });
  const found = delays.length;
  return {
    found,
    missed: drifts.length - found,
    falseAlarms: alarms.length - found,
    delay: found === 0 ? undefined : delays.reduce((sum, delay) => sum + delay, 0) / found,
    precision: alarms.length === 0 ? undefined : found / alarms.length,
    recall: found / drifts.length,
    f1: (2 * found) / (alarms.length + drifts.length),
  };
}
