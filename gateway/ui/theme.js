import { choiceOf } from './choice-of.js';

/** Light or dark: as the system says, or as the switch was left. */

const KEY = 'whetstone-theme';
/** @typedef {'auto' | 'light' | 'dark'} Theme */

/** @type {Record<Theme, Theme>} */
const NEXT = { auto: 'light', light: 'dark', dark: 'auto' };
/** @type {Set<() => void>} */
const listeners = new Set();
const dark = matchMedia('(prefers-color-scheme: dark)');

const stored = () => choiceOf(NEXT, localStorage.getItem(KEY), 'auto');
export const theme = () => choiceOf(NEXT, document.documentElement.dataset.theme ?? null, 'auto');

/** @param {Theme} name */
function apply(name) {
  document.documentElement.dataset.theme = name;
  for (const listener of listeners) listener();
}

/** Applies what was chosen last. */
export function startTheme() {
  apply(stored());
  dark.addEventListener('change', () => apply(theme()));
}

/** Goes on to the next of automatic, light, dark. */
export function nextTheme() {
  const name = NEXT[theme()];
  localStorage.setItem(KEY, name);
  apply(name);
  return name;
}

/**
 * Calls back when colours changed: what is drawn on a canvas has to be drawn anew.
 *
 * @param {AbortSignal} signal ends it
 * @param {() => void} listener
 */
export function onTheme(signal, listener) {
  listeners.add(listener);
  signal.addEventListener('abort', () => listeners.delete(listener));
}

/** A colour of the style sheet, for a canvas. @param {string} name of a class `ink-…` */
export function colour(name) {
  const probe = document.createElement('i');
  probe.className = `ink-${name}`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
