import { get } from '../api.js';
import { choiceOf } from '../choice-of.js';
import { el } from '../dom.js';
import { adjust } from '../route.js';
import { onEvent } from '../state.js';
import { eventList } from '../widgets/events.js';
import { emptyNote, errorNote, loadingNote } from '../widgets/note.js';
import { sentence, toneOf } from '../words.js';

/**
 * @import { GatewayEvent } from '../../views/status.ts'
 * @import { Route } from '../route.js'
 */

export const title = () => 'Events';

const PAGE = 1000;
/** @type {Record<string, [text: string, wanted: (event: GatewayEvent) => boolean]>} */
const SHOW = {
  all: ['everything', () => true],
  bad: ['what went wrong', (event) => toneOf(event) === 'bad'],
  models: [
    'models and updates',
    ({ kind }) => /^(model|rollout|update|train|gate|signer|device\.selftest)/.test(kind),
  ],
  labels: ['labels', ({ kind }) => /^(label|sample)\./.test(kind)],
  keys: ['keys, tokens and sessions', ({ kind }) => /^(key|signer|token|session|log)\./.test(kind)],
};

/**
 * The log: what happened, the newest first, as it is stored in the hash-chained journal.
 *
 * @param {HTMLElement} root
 * @param {Route} route
 * @param {AbortSignal} signal
 */
export function open(root, { query }, signal) {
  const wish = {
    show: choiceOf(SHOW, query.get('show'), 'all'),
    find: query.get('find') ?? '',
  };
  /** @type {GatewayEvent[]} */
  let events = [];
  let complete = true;
  /** @param {GatewayEvent} event */
  const wanted = (event) =>
    SHOW[wish.show][1](event) &&
    (wish.find === '' ||
      `${event.kind} ${event.subject} ${sentence(event)}`
        .toLowerCase()
        .includes(wish.find.toLowerCase()));
  const list = eventList({ label: 'Events, the newest first', most: 2000, wanted });
  const note = el('p', { class: 'quiet', role: 'status' });
  const place = el('div', {}, loadingNote('the log', 6));
  /** @param {Partial<typeof wish>} what */
  const change = (what) => {
    Object.assign(wish, what);
    adjust(what);
    draw();
  };
  const select = el(
    'select',
    { id: 'show', onchange: () => change({ show: select.value }) },
    ...Object.entries(SHOW).map(([key, [text]]) =>
      el('option', { value: key, selected: key === wish.show }, text),
    ),
  );
  const find = el('input', {
    ...{
      type: 'search',
      id: 'find',
      value: wish.find,
      autocomplete: 'off',
      placeholder: 'device, version, words',
    },
    oninput: () => change({ find: find.value }),
  });
  root.append(
    el('h1', {}, 'Events'),
    el(
      'form',
      {
        class: 'controls',
        role: 'search',
        'aria-label': 'Which events',
        onsubmit: (e) => e.preventDefault(),
      },
      el('label', { for: 'find' }, 'Find', find),
      el('label', { for: 'show' }, 'Show', select),
    ),
    note,
    place,
    el(
      'p',
      { class: 'quiet' },
      'Every entry is linked to the one before it by its hash, and signed. ',
      el('code', {}, 'npx whetstone verify'),
      ' names the first that was altered.',
    ),
  );

  function drawNote() {
    note.textContent = complete
      ? `${events.length} events in all`
      : `the newest ${events.length} events; earlier ones: npx whetstone events`;
  }

  function draw() {
    list.show(events);
    const rows = list.box.children.length;
    drawNote();
    if (events.length === 0)
      place.replaceChildren(
        emptyNote('Nothing happened yet.', 'The first entry is the start of the gateway.'),
      );
    else if (rows === 0)
      place.replaceChildren(
        emptyNote('No event is like that.', 'Look for something else, or for everything.'),
      );
    else place.replaceChildren(list.box);
  }

  async function load() {
    try {
      /** @type {GatewayEvent[]} */
      const found = await get('/events', { limit: PAGE });
      events = found;
      complete = found.length < PAGE;
      draw();
    } catch (error) {
      place.replaceChildren(errorNote(error, load));
    }
  }
  onEvent(signal, (event) => {
    if (event.id <= (events.at(-1)?.id ?? 0)) return;
    events.push(event);
    if (place.firstElementChild !== list.box) return draw();
    list.add(event);
    drawNote();
  });
  load();
}
