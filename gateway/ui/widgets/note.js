import { failureOf } from '../api.js';
import { el } from '../dom.js';

/** What stands where nothing else can: nothing yet, still loading, or an error. */

/** @param {string} title @param {...(Node|string)} how what would change it */
export const emptyNote = (title, ...how) =>
  el('div', { class: 'note empty' }, el('p', { class: 'strong' }, title), el('p', {}, ...how));

/** Grey shapes in the size of what will come. @param {string} what @param {number} [rows] */
export const loadingNote = (what, rows = 3) =>
  el(
    'div',
    { class: 'note loading', role: 'status' },
    el('p', { class: 'quiet' }, `Loading ${what} …`),
    ...Array.from({ length: rows }, () => el('div', { class: 'ghost', 'aria-hidden': 'true' })),
  );

/**
 * What went wrong, what to do, and a button to try again.
 *
 * @param {unknown} error that was caught
 * @param {() => void} [again]
 */
export function errorNote(error, again) {
  const { message, hint } = failureOf(error);
  return el(
    'div',
    { class: 'note error', role: 'alert' },
    el('p', { class: 'strong' }, message),
    hint ? el('p', {}, hint) : null,
    again ? el('button', { type: 'button', onclick: () => again() }, 'Try again') : null,
  );
}
