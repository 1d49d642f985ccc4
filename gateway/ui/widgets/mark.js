import { el } from '../dom.js';

/** @import { DeviceSummary } from '../../views/device.ts' */

/** What is the matter with a device, the worst first: rank, sign, word and tone. */
const STATES = {
  alarm: { rank: 0, sign: '▲', tone: 'bad', word: 'alarm' },
  sick: { rank: 1, sign: '▲', tone: 'bad', word: 'sick sensor' },
  offline: { rank: 2, sign: '✕', tone: 'bad', word: 'not connected' },
  silenced: { rank: 3, sign: '△', tone: 'warn', word: 'alarm, silenced' },
  trial: { rank: 4, sign: '◐', tone: 'warn', word: 'on trial' },
  empty: { rank: 5, sign: '○', tone: 'warn', word: 'no model' },
  weak: { rank: 6, sign: '◇', tone: 'warn', word: 'weak link' },
  fine: { rank: 7, sign: '●', tone: 'good', word: 'confirmed' },
};

/**
 * What a device's state is told by.
 *
 * @typedef {Pick<DeviceSummary, 'alarm' | 'connected' | 'state'> & { link: { weak: boolean } }} Standing
 */

/** @param {Standing} device @returns {keyof STATES} */
export function stateOf(device) {
  const { alarm, connected, state, link } = device;
  if (alarm !== null && alarm.silencedUntil === null) {
    return alarm.what === 'sensor' ? 'sick' : 'alarm';
  }
  if (!connected) return 'offline';
  if (alarm !== null) return 'silenced';
  if (state !== 'confirmed') return state;
  return link.weak ? 'weak' : 'fine';
}

/** @param {Standing} device */
export const rankOf = (device) => STATES[stateOf(device)].rank;
/** @param {Standing} device */
export const wordOf = (device) => STATES[stateOf(device)].word;
/** @param {Standing} device */
export const toneOf = (device) => STATES[stateOf(device)].tone;

/**
 * A device's state as sign and word: never by colour alone.
 *
 * @param {Standing} device
 * @param {{ short?: boolean }} [how] short: the word is for screen readers alone
 */
export function mark(device, { short = false } = {}) {
  const { sign, tone, word } = STATES[stateOf(device)];
  return badge(tone, word, { sign, short });
}

/**
 * Any state as sign and word.
 *
 * @param {string} tone 'good', 'warn', 'bad' or 'plain'
 * @param {string} word
 * @param {{ sign?: string, short?: boolean }} [how] as of {@link mark}
 */
export function badge(tone, word, { sign = '', short = false } = {}) {
  return el(
    'span',
    { class: `badge ${tone}`, title: short ? word : null },
    sign === '' ? null : el('span', { 'aria-hidden': 'true' }, sign),
    el('span', { class: short ? 'unseen' : null }, word),
  );
}
