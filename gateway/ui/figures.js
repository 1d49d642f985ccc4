/** Figures as people read them. None is shown without what it rests on. */

/** @param {number | null} share 0 to 1; the sign stays with its number at a line's end */
export const percent = (share) => (share === null ? '–' : `${Math.round(share * 100)}\u00a0%`);

/** With one digit more, where two figures would look the same. @param {number} share 0 to 1 */
export const finePercent = (share) => `${(share * 100).toFixed(1)}\u00a0%`;

/** @param {number} n @param {string} one @param {string} [many] */
export const count = (n, one, many = `${one}s`) =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** @param {number} n */
export const bytes = (n) =>
  n < 10_000
    ? `${n.toLocaleString('en')} bytes`
    : n < 1e6
      ? `${(n / 1e3).toFixed(1)} kB`
      : n < 1e9
        ? `${(n / 1e6).toFixed(1)} MB`
        : `${(n / 1e9).toFixed(1)} GB`;

/** A score, which travels in sixteenths of a logit. @param {number | null} score */
export const logits = (score) => (score === null ? '–' : (score / 16).toFixed(1));

/** @type {[name: string, lengthMs: number][]} */
const UNITS = [
  ['day', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
];

/** A duration in its greatest unit: '12 s', '3 min', '2 days'. @param {number} ms */
export function lasted(ms) {
  for (const [unit, length] of UNITS) {
    const n = Math.floor(ms / length);
    if (n > 0) return `${n} ${unit}${unit === 'day' && n > 1 ? 's' : ''}`;
  }
  return 'a moment';
}

/**
 * How long ago, by the gateway's clock.
 *
 * @param {number | null} at ms since 1970
 * @param {number} now the same
 */
export const ago = (at, now) =>
  at === null ? 'never' : now - at < 2000 ? 'now' : `${lasted(now - at)} ago`;

/** @param {number} n */
const two = (n) => String(n).padStart(2, '0');

/** '14:05:09', by this computer's zone. @param {number} at ms since 1970 */
export function timeOfDay(at) {
  const d = new Date(at);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** Time of day, with the day where it is another than today. @param {number} at ms since 1970 */
export function moment(at) {
  const d = new Date(at);
  if (new Date().toDateString() === d.toDateString()) return timeOfDay(at);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${timeOfDay(at)}`;
}

/** What a score says as a confidence; where that is not known, nothing. @param {number | null} share */
export const confidence = (share) => (share === null ? '' : `${Math.round(share * 100)} % sure`);
