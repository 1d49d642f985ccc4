/** Windows of a class, a part of a range or a device below which what they show is reported, but decides nothing. */
export const MIN_WINDOWS = 5;

/** Windows that only the candidate has right, and only the champion. */
export function discordant(
  truth: readonly number[],
  champion: readonly number[],
  candidate: readonly number[],
): { gained: number; lost: number } {
  return discordantPairs(
    champion.map((said, i) => said === truth[i]),
    candidate.map((said, i) => said === truth[i]),
  );
}

/**
 * The same, where it is known of each window whether it was right and is right.
 *
 * @example discordantPairs([true, false, false], [false, true, true]) // { gained: 2, lost: 1 }
 */
export function discordantPairs(
  was: readonly boolean[],
  is: readonly boolean[],
): { gained: number; lost: number } {
  return {
    gained: was.filter((before, i) => !before && is[i]).length,
    lost: was.filter((before, i) => before && !is[i]).length,
  };
}

/** Predictions that are right. */
export function hits(truth: readonly number[], predicted: readonly number[]): number {
  return truth.filter((t, i) => t === predicted[i]).length;
}

/** Values for which something holds. */
export function count(
  values: readonly number[],
  holds: (value: number, i: number) => boolean,
): number {
  return values.filter(holds).length;
}

/** A share for people. @example percent(0.5) // '50.0 %' */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
