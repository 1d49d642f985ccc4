import { el } from '../dom.js';

/**
 * A table that scrolls by itself where the page is narrow.
 *
 * @param {(string | Node)[]} head
 * @param {(string | Node)[][]} rows the first cell names its row
 * @param {string} label
 */
export const table = (head, rows, label) =>
  el(
    'div',
    { class: 'scrolls', tabindex: 0, role: 'region', 'aria-label': label },
    el(
      'table',
      { class: 'plain-table' },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...head.map((cell) => (cell === '' ? el('td') : el('th', { scope: 'col' }, cell))),
        ),
      ),
      el('tbody', {}, ...rows.map((row) => el('tr', {}, ...row.map((cell) => el('td', {}, cell))))),
    ),
  );
