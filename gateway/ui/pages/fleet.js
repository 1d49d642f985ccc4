import { choiceOf } from '../choice-of.js';
import { el, keep, say } from '../dom.js';
import { ago, count, logits, percent } from '../figures.js';
import { bindKeys } from '../keys.js';
import { adjust, link } from '../route.js';
import { now, state, watch } from '../state.js';
import { approvalSign } from '../widgets/decide.js';
import { mark, rankOf, stateOf, toneOf, wordOf } from '../widgets/mark.js';
import { emptyNote, errorNote, loadingNote } from '../widgets/note.js';
import { spark } from '../widgets/spark.js';
import { shortVersion } from '../words.js';

/**
 * @import { DeviceSummary } from '../../views/device.ts'
 * @import { TrainingView } from '../../views/status.ts'
 * @import { Route } from '../route.js'
 */

export const title = () => 'Fleet';

/** @type {(a: DeviceSummary, b: DeviceSummary) => number} */
const byName = (a, b) => a.id.localeCompare(b.id, 'en', { numeric: true });
/** @param {DeviceSummary} device */
const low = (device) => device.accuracy ?? device.estimated?.accuracy ?? 2;
/** @type {Record<string, [text: string, order: typeof byName]>} */
const SORTS = {
  worst: ['worst first', (a, b) => rankOf(a) - rankOf(b) || low(a) - low(b) || byName(a, b)],
  name: ['by name', byName],
  accuracy: ['lowest accuracy first', (a, b) => low(a) - low(b) || byName(a, b)],
  seen: ['longest unseen first', (a, b) => (a.lastSeen ?? 0) - (b.lastSeen ?? 0) || byName(a, b)],
};
/** @type {Record<string, [text: string, wanted: (device: DeviceSummary) => boolean]>} */
const ONLY = {
  all: ['all', () => true],
  alarm: ['alarms', (device) => ['alarm', 'sick', 'silenced'].includes(stateOf(device))],
  offline: ['not connected', ({ connected }) => !connected],
  trial: ['on trial', (device) => device.state === 'trial'],
};
/** @type {Record<string, [text: string]>} */
const VIEWS = { '': ['automatic'], table: ['table'], tiles: ['tiles'] };
/** A fleet from which on a device is a tile, unless somebody wants the table. */
const TILES_FROM = 60;

/**
 * Every device at a glance: what is wrong first.
 *
 * @param {HTMLElement} root
 * @param {Route} route
 * @param {AbortSignal} signal
 */
export function open(root, { query }, signal) {
  const wish = {
    sort: choiceOf(SORTS, query.get('sort'), 'worst'),
    only: choiceOf(ONLY, query.get('only'), 'all'),
    find: query.get('find') ?? '',
    view: choiceOf(VIEWS, query.get('view'), ''),
  };
  /** @param {Partial<typeof wish>} change */
  const set = (change) => {
    Object.assign(wish, change);
    adjust(change);
    draw();
  };
  const summary = el('p', { class: 'summary', role: 'status' });
  const signs = el('div', { 'aria-live': 'polite' });
  const training = el('p', { class: 'quiet' });
  const find = el('input', {
    ...{ type: 'search', id: 'find', value: wish.find, autocomplete: 'off', spellcheck: 'false' },
    ...{ placeholder: 'name, board, wearer, scope', oninput: () => set({ find: find.value }) },
  });
  const sort = choice('sort', 'Sort', SORTS, wish.sort, (value) => set({ sort: value }));
  const only = choice('only', 'Show', ONLY, wish.only, (value) => set({ only: value }));
  const view = choice('view', 'As', VIEWS, wish.view, (value) => set({ view: value }));
  const controls = el(
    'form',
    {
      class: 'controls',
      role: 'search',
      'aria-label': 'Which devices',
      onsubmit: (e) => e.preventDefault(),
    },
    el('label', { for: 'find' }, 'Find', find),
    only,
    sort,
    view,
  );
  const body = el('tbody');
  const table = el(
    'table',
    { class: 'fleet' },
    el('caption', { class: 'unseen' }, 'Devices'),
    el(
      'thead',
      {},
      el('tr', {}, ...HEAD.map(([name, kind]) => el('th', { scope: 'col', class: kind }, name))),
    ),
    body,
  );
  const tiles = el('ul', { class: 'tiles', 'aria-label': 'Devices' });
  const place = el('div');
  root.append(el('h1', {}, 'Fleet'), summary, signs, training, controls, place);

  function draw() {
    const { status, trouble } = state;
    if (status === null) {
      place.replaceChildren(trouble ? errorNote(trouble) : loadingNote('the fleet', 4));
      controls.hidden = true;
      return;
    }
    const { devices } = status;
    controls.hidden = devices.length === 0;
    say(summary, summaryOf(devices));
    say(training, trainingOf(status.training));
    keep(
      signs,
      status.rollouts
        .filter(({ stage }) => stage === 'awaiting-approval')
        .map(({ id, version, scope, reason }) => {
          return { id, version, scope, reason, role: state.me?.role ?? null };
        }),
      ({ id }) => id,
      () => el('div'),
      (element, rollout) => element.replaceChildren(approvalSign(rollout, rollout.role)),
    );
    if (devices.length === 0) {
      place.replaceChildren(
        emptyNote(
          'No device has said hello yet.',
          'A virtual fleet starts with ',
          el('code', {}, 'npm start'),
          '; a real board takes part by naming its port: ',
          el('code', {}, 'npm start -- --port /dev/ttyACM0'),
        ),
      );
      return;
    }
    const words = wish.find.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = devices
      .filter(ONLY[wish.only][1])
      .filter((device) => {
        const { id, board, wearer, scope, version } = device;
        const text = [id, board, wearer, scope, version, wordOf(device)].join(' ').toLowerCase();
        return words.every((word) => text.includes(word));
      })
      .toSorted(SORTS[wish.sort][1]);
    if (shown.length === 0) {
      const all = el(
        'button',
        { type: 'button', onclick: () => location.assign(link('fleet')) },
        'Show all',
      );
      place.replaceChildren(
        emptyNote(`None of ${count(devices.length, 'device')} is like that.`, all),
      );
      return;
    }
    const asTiles = wish.view === 'tiles' || (wish.view === '' && devices.length >= TILES_FROM);
    if (asTiles) {
      keep(
        tiles,
        shown.map(slim),
        ({ id }) => id,
        () => el('li'),
        drawTile,
      );
    } else
      keep(
        body,
        shown.map(slim),
        ({ id }) => id,
        () => el('tr'),
        drawRow,
      );
    const wanted = asTiles ? tiles : table;
    if (place.firstElementChild !== wanted) place.replaceChildren(wanted);
  }

  /** @type {() => NodeListOf<HTMLElement>} */
  const links = () => place.querySelectorAll('a.device');
  /** @param {1 | -1} by */
  const move = (by) => () => {
    const all = [...links()];
    const focused = document.activeElement;
    const at = focused instanceof HTMLElement ? all.indexOf(focused) : -1;
    all[Math.max(0, Math.min(all.length - 1, at + by))]?.focus();
  };
  bindKeys(signal, {
    '/': { does: 'find a device', run: () => find.focus() },
    j: { does: 'next device', run: move(1) },
    k: { does: 'device before', run: move(-1) },
    ArrowDown: { does: 'next device', run: move(1), hidden: true },
    ArrowUp: { does: 'device before', run: move(-1), hidden: true },
  });
  find.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      find.value = '';
      set({ find: '' });
    } else if (event.key === 'ArrowDown') links()[0]?.focus();
  });
  watch(signal, draw);
}

/**
 * @param {string} id
 * @param {string} name
 * @param {Record<string, [text: string, ...unknown[]]>} options
 * @param {string} value the chosen one
 * @param {(value: string) => void} changed
 */
function choice(id, name, options, value, changed) {
  const select = el(
    'select',
    { id, onchange: () => changed(select.value) },
    ...Object.entries(options).map(([key, [text]]) =>
      el('option', { value: key, selected: key === value }, text),
    ),
  );
  return el('label', { for: id }, name, select);
}

/** @typedef {ReturnType<typeof slim>} Slim */

/**
 * What a row is drawn from: a device that is as it was is not drawn again.
 *
 * @param {DeviceSummary} device
 */
function slim(device) {
  const { id, board, wearer, accuracy, score, measured, estimated, version, scope, samples } =
    device;
  const {
    alarm,
    connected,
    link: secured,
    state: how,
    lately: recent,
    synthetic,
    lastSeen,
    dropped,
  } = device;
  const seen = ago(connected ? now() : lastSeen, now());
  return {
    ...{ id, board, wearer, accuracy, score, measured, estimated, version, scope, samples, alarm },
    ...{ connected, link: { weak: secured.weak }, state: how, recent, synthetic, seen, dropped },
  };
}

const HEAD = [
  ['Device', ''],
  ['State', ''],
  ['Accuracy', 'figure'],
  ['Measured', 'wide'],
  ['Estimated', 'wide'],
  ['Lately', ''],
  ['Margin', 'figure wide'],
  ['Windows', 'figure wide'],
  ['Model', ''],
  ['Seen', 'wide'],
];

/** @param {HTMLElement} row @param {Slim} device */
function drawRow(row, device) {
  const { id, board, wearer, synthetic, accuracy, score, measured, estimated, samples, dropped } =
    device;
  const about = [
    wearer === null ? null : `worn by ${wearer}`,
    board,
    synthetic ? 'synthetic' : null,
  ];
  row.dataset.tone = toneOf(device);
  row.dataset.id = id;
  const cells = [
    el(
      'th',
      { scope: 'row' },
      el('a', { class: 'device', href: link('device', id) }, id),
      el('span', { class: 'quiet small' }, about.filter(Boolean).join(' · ')),
    ),
    el(
      'td',
      {},
      mark(device),
      device.alarm ? el('span', { class: 'quiet small' }, device.alarm.message) : null,
    ),
    el(
      'td',
      { class: 'figure' },
      el('strong', {}, percent(accuracy)),
      el(
        'span',
        { class: 'quiet small' },
        synthetic
          ? accuracy === null
            ? 'too few gestures'
            : 'of 20 gestures'
          : accuracy === null
            ? 'no labels'
            : `of ${measured?.labels ?? '?'} labels`,
      ),
      // the columns that hold it are not there where there is little room
      accuracy === null && estimated
        ? el(
            'span',
            { class: 'quiet small narrow' },
            `estimated ${percent(estimated.accuracy)}, ${estimated.windows} windows`,
          )
        : null,
    ),
    share(measured, measured && `${measured.labels} labels`),
    share(estimated, estimated && `${estimated.windows} windows`),
    el(
      'td',
      {},
      device.recent.some((one) => one !== null) ? spark(device.recent, `accuracy of ${id}`) : null,
    ),
    el(
      'td',
      { class: 'figure wide' },
      logits(score),
      el('span', { class: 'quiet small' }, 'of 10 windows'),
    ),
    el(
      'td',
      { class: 'figure wide' },
      samples.toLocaleString('en'),
      dropped > 0 ? el('span', { class: 'bad-text small' }, `${dropped} dropped`) : null,
    ),
    el(
      'td',
      {},
      device.version === null
        ? 'none'
        : el('a', { href: link('models', device.version) }, shortVersion(device.version)),
      el('span', { class: 'quiet small' }, device.scope ?? 'nobody yet'),
    ),
    el('td', { class: 'wide' }, device.seen),
  ];
  row.replaceChildren(...cells);
}

/**
 * @param {{ accuracy: number, low: number, high: number } | null} figure
 * @param {string | null} base what it rests on
 */
const share = (figure, base) =>
  el(
    'td',
    { class: 'wide' },
    figure === null ? '–' : percent(figure.accuracy),
    figure
      ? el(
          'span',
          { class: 'quiet small' },
          `${Math.round(100 * figure.low)} to ${percent(figure.high)}, ${base}`,
        )
      : null,
  );

/** @param {HTMLElement} item @param {Slim} device */
function drawTile(item, device) {
  const { id, accuracy, measured, estimated, synthetic } = device;
  const base =
    accuracy !== null
      ? synthetic
        ? 'of 20 gestures'
        : `of ${measured?.labels ?? '?'} labels`
      : estimated
        ? `estimated, ${estimated.windows} windows`
        : 'nothing known';
  item.dataset.tone = toneOf(device);
  item.dataset.id = id;
  item.replaceChildren(
    el(
      'a',
      { class: 'device tile', href: link('device', id) },
      el('span', { class: 'row' }, el('b', {}, id), mark(device, { short: true })),
      el('strong', {}, percent(accuracy ?? estimated?.accuracy ?? null)),
      el('span', { class: 'quiet small' }, base),
    ),
  );
}

/** @param {DeviceSummary[]} devices */
function summaryOf(devices) {
  /** @param {ReturnType<typeof stateOf>[]} wanted */
  const of = (wanted) => devices.filter((device) => wanted.includes(stateOf(device))).length;
  /** @type {[n: number, what: string][]} */
  const all = [
    [of(['alarm', 'sick']), 'with an alarm'],
    [of(['silenced']), 'silenced'],
    [devices.filter(({ connected }) => !connected).length, 'not connected'],
    [devices.filter((device) => device.state === 'trial').length, 'on trial'],
    [devices.filter((device) => device.state === 'empty').length, 'without a model'],
  ];
  const parts = all.filter(([n]) => n > 0);
  const rest =
    parts.length === 0 ? 'all well' : parts.map(([n, what]) => `${n} ${what}`).join(', ');
  return devices.length === 0 ? '' : `${count(devices.length, 'device')}: ${rest}.`;
}

/** @param {TrainingView} training */
function trainingOf({ running, queue, waiting }) {
  if (running !== null) return `Training for ${running.scope} (${running.why.join(', ')}) …`;
  if (waiting !== null) return `Training for ${waiting.scope} ${waiting.sentence}`;
  return queue.length === 0 ? '' : `To be trained: ${queue.map(({ scope }) => scope).join(', ')}`;
}
