import { get } from '../api.js';
import { choiceOf } from '../choice-of.js';
import { el } from '../dom.js';
import { adjust } from '../route.js';
import { now, onEvent } from '../state.js';
import { historyPlot } from './history.js';
import { emptyNote, errorNote, loadingNote } from './note.js';

/** @import { HistoryView } from '../../views/history.ts' */

/** @type {Record<string, [text: string, lengthMs: number | null]>} */
const RANGES = {
  hour: ['1 hour', 3_600_000],
  day: ['1 day', 86_400_000],
  week: ['7 days', 7 * 86_400_000],
  all: ['everything', null],
};
const POINTS = 60;
const AGAIN_MS = 10_000;

/**
 * Accuracy and drift of a scope over a time that can be chosen.
 *
 * @param {AbortSignal} signal ends it
 * @param {string} scope
 * @param {string | null} wanted a range's name
 */
export function pastOf(signal, scope, wanted) {
  let range = choiceOf(RANGES, wanted, 'hour');
  const drawing = historyPlot(signal);
  const place = el('div', {}, loadingNote('the history', 1));
  const buttons = Object.entries(RANGES).map(([key, [text]]) =>
    el(
      'button',
      {
        ...{
          type: 'button',
          class: 'chip',
          'aria-pressed': String(key === range),
          'data-range': key,
        },
        onclick: () => {
          range = key;
          adjust({ range });
          for (const one of buttons)
            one.setAttribute('aria-pressed', String(one.dataset.range === key));
          load();
        },
      },
      text,
    ),
  );

  async function load() {
    const length = RANGES[range][1];
    try {
      const from = length === null ? undefined : Math.round(now() - length);
      /** @type {HistoryView} */
      let history = await get('/history', { scope, from, points: POINTS });
      // what is younger than half of the time fills the drawing, not its edge
      const first = history.points.find(({ windows }) => windows > 0)?.at;
      if (length !== null && first !== undefined && now() - first < length / 2)
        history = await get('/history', { scope, from: first, points: POINTS });
      if (signal.aborted) return;
      const known = history.points.some(
        ({ accuracy, estimated, drift }) => (accuracy ?? estimated ?? drift) !== null,
      );
      if (!known) {
        place.replaceChildren(
          emptyNote(
            'Nothing is known of this time.',
            'Accuracy needs labels; an estimate needs labels that it learned from.',
          ),
        );
        return;
      }
      if (place.firstElementChild !== drawing.box) place.replaceChildren(drawing.box);
      drawing.show(history);
    } catch (error) {
      if (!signal.aborted) place.replaceChildren(errorNote(error, load));
    }
  }
  const again = setInterval(load, AGAIN_MS);
  signal.addEventListener('abort', () => clearInterval(again));
  onEvent(signal, ({ kind }) => {
    if (/^(alarm|rollout\.(done|rolledback))/.test(kind)) load();
  });
  load();
  return el(
    'div',
    {},
    el('div', { class: 'row', role: 'group', 'aria-label': 'Time shown' }, ...buttons),
    place,
  );
}
