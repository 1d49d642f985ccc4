/** Windows that only the candidate has right, and only the champion. */
export function discordant(
  truth: readonly number[],
  champion: readonly number[],
  candidate: readonly number[],
): { gained: number; lost: number } {
  let gained = 0;
  let lost = 0;
  for (let i = 0; i < champion.length; i++) {
    const was = champion[i] === truth[i];
    const is = candidate[i] === truth[i];
    if (is && !was) gained++;
    if (was && !is) lost++;
  }
  return { gained, lost };
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
