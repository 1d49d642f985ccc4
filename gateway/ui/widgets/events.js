import { el } from '../dom.js';
import { moment } from '../figures.js';
import { inOne, sentence, toneOf } from '../words.js';

/** @import { GatewayEvent } from '../../views/status.ts' */

/**
 * Events, the newest first; labels of one device that follow one another are one row.
 *
 * @param {{ label: string, most?: number, wanted?: (event: GatewayEvent) => boolean }} about
 */
export function eventList({ label, most = 200, wanted = () => true }) {
  const box = el('ol', { class: 'events', tabindex: 0, 'aria-label': label });
  /**
   * newest rows of labels, by device, until something else happens
   *
   * @type {Map<string, { event: GatewayEvent, item: HTMLElement }>}
   */
  const labelRows = new Map();
  /** @param {HTMLElement} item @param {GatewayEvent} event */
  const fill = (item, event) =>
    item.replaceChildren(
      el('time', { datetime: new Date(event.at).toISOString() }, moment(event.at)),
      el('span', {}, sentence(event)),
    );
  /** @param {GatewayEvent} event */
  function add(event) {
    if (!wanted(event)) return;
    if (event.kind !== 'label.added') labelRows.clear();
    const row = labelRows.get(event.subject);
    const one = row && inOne(row.event, event);
    if (row !== undefined && one !== undefined) {
      row.event = one;
      fill(row.item, one);
      return;
    }
    const item = el('li', {
      'data-tone': toneOf(event),
      'data-kind': event.kind,
      'data-id': event.id,
    });
    fill(item, event);
    if (event.kind === 'label.added') labelRows.set(event.subject, { event, item });
    box.prepend(item);
    while (box.children.length > most) box.lastElementChild?.remove();
  }
  return {
    box,
    add,
    /** @param {GatewayEvent[]} events oldest first */
    show(events) {
      labelRows.clear();
      box.replaceChildren();
      events.forEach(add);
    },
  };
}
