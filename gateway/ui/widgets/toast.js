import { failureOf } from '../api.js';
import { byId, el } from '../dom.js';

const STAYS_MS = 8000;

/**
 * Says at the edge of the page what came of something; errors stay until they are closed.
 *
 * @param {string} text
 * @param {'good' | 'info' | 'bad'} [tone]
 */
export function toast(text, tone = 'good') {
  const box = byId('toasts');
  const item = el(
    'div',
    { class: `toast ${tone}` },
    el('p', {}, text),
    el(
      'button',
      {
        type: 'button',
        class: 'plain',
        'aria-label': 'Close this message',
        onclick: () => item.remove(),
      },
      '✕',
    ),
  );
  box.append(item);
  while (box.children.length > 4) box.firstElementChild?.remove();
  if (tone !== 'bad') setTimeout(() => item.remove(), STAYS_MS);
}

/**
 * Does something with the gateway and says what came of it.
 *
 * @template T
 * @param {() => Promise<T>} deed
 * @param {string | ((answer: T) => string)} [done] what is said where it went well
 * @returns {Promise<T | undefined>} undefined where it failed
 */
export async function attempt(deed, done) {
  try {
    const answer = await deed();
    if (done) toast(typeof done === 'function' ? done(answer) : done);
    return answer;
  } catch (error) {
    const { message, hint } = failureOf(error);
    toast(hint ? `${message}: ${hint}` : message, 'bad');
    return undefined;
  }
}
