/** Keys of the page: one table, so that the help says what there is. */

/**
 * What a key does: `does` for the help, which leaves out what is `hidden`.
 *
 * @typedef {{ does: string, run: (event: KeyboardEvent) => void, hidden?: boolean }} Binding
 */

/** @type {Map<string, Binding>} */
const bindings = new Map();

/** @param {KeyboardEvent} event */
const isTyping = ({ target }) =>
  target instanceof HTMLElement && target.closest('input, select, textarea, dialog') !== null;

/**
 * Binds keys while something is shown.
 *
 * @param {AbortSignal} signal ends it
 * @param {Record<string, Binding>} keys
 */
export function bindKeys(signal, keys) {
  for (const [key, binding] of Object.entries(keys)) bindings.set(key, binding);
  signal.addEventListener('abort', () => {
    for (const [key, binding] of Object.entries(keys)) {
      if (bindings.get(key) === binding) bindings.delete(key);
    }
  });
}

/** What can be pressed now, for the help. @returns {[key: string, does: string][]} */
export const boundKeys = () =>
  [...bindings].filter(([, { hidden }]) => !hidden).map(([key, { does }]) => [key, does]);

let prefix = '';

/** Listens to the keyboard; 'g f' is one key after another. */
export function startKeys() {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    const name = event.key === ' ' ? 'Space' : event.key;
    // a button or link that has the focus keeps its own keys
    const isPress = name === 'Space' || name === 'Enter';
    if (isPress && event.target instanceof Element && event.target.closest('button, a, summary'))
      return;
    const two = bindings.get(`${prefix} ${name}`);
    const binding = two ?? bindings.get(name);
    prefix = two === undefined && name === 'g' ? 'g' : '';
    if (binding === undefined) return;
    event.preventDefault();
    binding.run(event);
  });
}
