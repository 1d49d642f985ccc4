/** Milliseconds of the units in 'every 90m', 'every 24h', 'every 7d'. */
const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * When a rule of the schedule is due next.
 *
 * Two forms and no more: a computer's own cron can call `whetstone train` for any other.
 *
 * @param rule '' (never), 'every 90m', 'every 24h', 'every 7d', or 'at 03:00' in local time
 * @param after ms since 1970
 * @returns the first moment later than `after`, ms since 1970; null for never. Where clocks are put
 *   forward over the hour of 'at', that day's moment comes as much later
 * @throws RangeError if it is none of these forms
 * @example nextDue('every 90m', 1000) // 5401000
 */
export function nextDue(rule: string, after: number): number | null {
  if (rule === '') return null;
  const [, count, unit] = /^every ([1-9]\d{0,4})([mhd])$/.exec(rule) ?? [];
  if (count !== undefined) return after + Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  const [, hour, minute] = /^at ([01]\d|2[0-3]):([0-5]\d)$/.exec(rule) ?? [];
  if (hour === undefined) throw new RangeError(`'${rule}' is no time to train at`);
  const day = new Date(after);
  const at = (days: number): number =>
    new Date(
      ...([day.getFullYear(), day.getMonth(), day.getDate() + days] as const),
      ...([Number(hour), Number(minute)] as const),
    ).getTime();
  const today = at(0);
  return today > after ? today : at(1);
}
