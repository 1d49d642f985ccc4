/** How p-values of many tests at once are judged. */
export type Correction = 'bonferroni' | 'holm' | 'benjamini-hochberg';

/**
 * Adjusts the p-values of many tests at once: those up to α are rejected. Bonferroni and Holm keep the
 * probability of any false rejection within α, whatever the tests depend on (Holm always rejects as
 * much or more); Benjamini-Hochberg keeps the expected share of false ones within α, for tests that
 * are independent or positively dependent, and finds more where much changed. All three keep false
 * alarms within α while nothing changes at all.
 *
 * @param pValues of the tests
 * @param method of correction
 * @returns adjusted p-values, in the same order, at most 1
 * @throws RangeError if one is no probability
 * @source Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure; Benjamini and Hochberg
 *   1995, Controlling the False Discovery Rate
 * @example adjust([0.01, 0.04, 0.03, 0.5], 'bonferroni') // [0.04, 0.16, 0.12, 1]
 * @example adjust([0.01, 0.04, 0.03, 0.5], 'holm') // [0.04, 0.09, 0.09, 0.5]
 * @example adjust([0.01, 0.04, 0.02, 0.5], 'benjamini-hochberg') // [0.04, 0.05333333333333334, 0.04, 0.5]
 */
export function adjust(pValues: readonly number[], method: Correction): number[] {
  for (const p of pValues) {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`${p} is no probability`);
  }
  const count = pValues.length;
  if (method === 'bonferroni') return pValues.map((p) => Math.min(1, p * count));
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a] - pValues[b]);
  const adjusted = new Array<number>(count);
  if (method === 'holm') {
    let most = 0;
    order.forEach((i, rank) => {
      most = Math.max(most, Math.min(1, pValues[i] * (count - rank)));
      adjusted[i] = most;
    });
  } else {
    let least = 1;
    for (let rank = count - 1; rank >= 0; rank--) {
      const i = order[rank];
      least = Math.min(least, (pValues[i] * count) / (rank + 1));
      adjusted[i] = least;
    }
  }
  return adjusted;
}
