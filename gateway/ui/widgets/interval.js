import { el, svg } from '../dom.js';
import { percent } from '../figures.js';

/**
 * A share with its interval, drawn and said, and what it rests on.
 *
 * @param {string} name 'measured'
 * @param {{ accuracy: number, low: number, high: number } | null} share
 * @param {string} base '34 labels', or why there is none
 */
export function interval(name, share, base) {
  const drawn =
    share &&
    svg(
      'svg',
      {
        class: 'interval',
        viewBox: '0 0 100 8',
        preserveAspectRatio: 'none',
        'aria-hidden': 'true',
      },
      svg('rect', { class: 'rail', x: 0, y: 3, width: 100, height: 2 }),
      svg('rect', {
        ...{ class: 'span', x: 100 * share.low, y: 1.5, height: 5 },
        width: Math.max(0.5, 100 * (share.high - share.low)),
      }),
      svg('rect', { class: 'point', x: 100 * share.accuracy - 0.6, y: 0, width: 1.2, height: 8 }),
    );
  return el(
    'div',
    { class: 'share' },
    el('span', { class: 'share-name' }, name),
    el('strong', {}, share ? percent(share.accuracy) : '–'),
    drawn,
    el(
      'span',
      { class: 'quiet' },
      share ? `${Math.round(100 * share.low)} to ${percent(share.high)}, ${base}` : base,
    ),
  );
}
