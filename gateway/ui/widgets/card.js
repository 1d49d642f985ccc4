import { el } from '../dom.js';

/** @import { Child } from '../dom.js' */

/**
 * A part of a page, with its name above.
 *
 * @param {string} name
 * @param {...Node} children
 */
export const card = (name, ...children) =>
  el('section', { class: 'card' }, el('h2', {}, name), ...children);

/**
 * A line of a list of facts, a `dl`: what it is, and how it stands.
 *
 * @param {string} name
 * @param {Child} value
 */
export const fact = (name, value) => [el('dt', {}, name), el('dd', {}, value)];
