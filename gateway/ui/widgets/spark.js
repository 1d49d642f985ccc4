import { svg } from '../dom.js';

const WIDTH = 120;
const HEIGHT = 28;
const POINTS = 60;

/**
 * How a share went over time, 0 at the bottom and 1 at the top.
 *
 * @param {(number | null)[]} values oldest first
 * @param {string} what for who cannot see it: 'accuracy of watch-1'
 */
export function spark(values, what) {
  const known = values.filter((value) => value !== null);
  const [first] = known;
  const last = known.at(-1);
  const every = Math.max(1, Math.ceil(known.length / POINTS));
  const shown = known.filter((_, i) => (known.length - 1 - i) % every === 0);
  /** @param {number} value */
  const y = (value) => (HEIGHT - 2 - value * (HEIGHT - 4)).toFixed(1);
  /** @param {number} i */
  const x = (i) => ((i / Math.max(1, shown.length - 1)) * WIDTH).toFixed(1);
  const label =
    first === undefined || last === undefined
      ? `${what}: not known yet`
      : `${what}: from ${first.toFixed(2)} to ${last.toFixed(2)}`;
  return svg(
    'svg',
    {
      ...{ class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none' },
      ...{ role: 'img', 'aria-label': label },
    },
    svg('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y(0), y2: y(0) }),
    svg('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y(1), y2: y(1) }),
    svg('polyline', { class: 'curve', points: shown.map((v, i) => `${x(i)},${y(v)}`).join(' ') }),
  );
}
