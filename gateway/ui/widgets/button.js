import { el } from '../dom.js';

/**
 * A button that cannot be pressed twice while its deed is under way.
 *
 * @param {string} text
 * @param {() => unknown} deed whose promise is waited for
 * @param {{ kind?: string, key?: string }} [how] its class, and the key that does the same
 */
export function button(text, deed, { kind = '', key = '' } = {}) {
  const element = el(
    'button',
    { type: 'button', class: kind, 'aria-keyshortcuts': key || null },
    text,
    key === '' ? null : el('kbd', { 'aria-hidden': 'true' }, key),
  );
  element.addEventListener('click', async () => {
    if (element.getAttribute('aria-busy') === 'true') return;
    element.setAttribute('aria-busy', 'true');
    try {
      await deed();
    } finally {
      element.removeAttribute('aria-busy');
    }
  });
  return element;
}
