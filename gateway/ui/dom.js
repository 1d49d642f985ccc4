/** Making elements. Text always goes in as text: nothing that a device calls itself becomes markup. */

/**
 * What an element gets: strings; `true` for one without a value, `false` and `null` for none; functions
 * named `onclick` and the like listen.
 *
 * @typedef {Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>} Attributes
 * @typedef {Node | string | null | undefined | false} Child
 */

/**
 * Makes an element.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag its name
 * @param {Attributes} attributes
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * The same for a drawing.
 *
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag its name
 * @param {Attributes} attributes
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Attributes} attributes
 * @param {Child[]} children
 * @returns {E}
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(
    ...children.filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/**
 * Keeps an element's children in step with a list: those that stay are kept, with focus and scroll.
 *
 * @template T
 * @template {Element} E
 * @param {Element & { kept?: Map<string, { element: E, text: string }> }} parent
 * @param {T[]} items in their order
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => E} make one that is new
 * @param {(element: E, item: T) => void} draw called where an item differs from last time
 */
export function keep(parent, items, keyOf, make, draw) {
  const before = parent.kept ?? new Map();
  /** @type {NonNullable<typeof parent.kept>} */
  const now = new Map();
  /** @type {Element | null} */
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const text = JSON.stringify(item);
    const known = before.get(key);
    const element = known?.element ?? make(item);
    if (known?.text !== text) draw(element, item);
    now.set(key, { element, text });
    if (element === place) place = place?.nextElementSibling ?? null;
    else parent.insertBefore(element, place);
  }
  for (const [key, { element }] of before) if (!now.has(key)) element.remove();
  parent.kept = now;
}

/**
 * Puts text into an element if it is another: a live region speaks only of what is new.
 *
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * An element of `index.html`.
 *
 * @param {string} id
 * @returns {HTMLElement}
 * @throws TypeError if there is none
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new TypeError(`the page has no '${id}'`);
  return element;
}
