import { ApiError, at, get, post } from '../api.js';
import { el, say } from '../dom.js';
import { ago, count, logits, moment, percent } from '../figures.js';
import { may } from '../roles.js';
import { here, link } from '../route.js';
import { now, refresh, state, watch } from '../state.js';
import { button } from '../widgets/button.js';
import { card, fact } from '../widgets/card.js';
import { interval } from '../widgets/interval.js';
import { liveWindows } from '../widgets/live-windows.js';
import { badge, mark } from '../widgets/mark.js';
import { emptyNote, errorNote, loadingNote } from '../widgets/note.js';
import { pastOf } from '../widgets/past.js';
import { table } from '../widgets/table.js';
import { attempt } from '../widgets/toast.js';
import { shortVersion } from '../words.js';

/**
 * @import { DeviceSummary, DeviceView } from '../../views/device.ts'
 * @import { TrainView } from '../../views/model.ts'
 * @import { QualityView } from '../../views/monitor.ts'
 * @import { Status } from '../../views/status.ts'
 * @import { Route } from '../route.js'
 */

export const title = () => here().item ?? 'Device';

/**
 * One device: what it senses and says now, how well it does, and how that came about.
 *
 * @param {HTMLElement} root
 * @param {Route} route
 * @param {AbortSignal} signal
 */
export function open(root, { item, query }, signal) {
  if (item === null) {
    const list = el('a', { href: link('fleet') }, 'See those that there are.');
    root.append(el('h1', {}, 'Device'), emptyNote('No device is named.', list));
    return;
  }
  const id = item;
  const head = el('div', { class: 'row' });
  const about = el('p', { class: 'quiet' });
  const alarm = el('section', { class: 'alarm-box', 'aria-label': 'Alarm', hidden: true });
  const shares = el('div');
  const classes = el('div', { 'aria-live': 'off' });
  const model = el('div');
  const box = el('dl', { class: 'facts' });
  const place = el('div', {}, loadingNote(id, 4));
  const scope = `device:${id}`;
  root.append(el('p', {}, el('a', { href: link('fleet') }, '← Fleet')), head, about, place);
  let laidOut = false;
  let qualityKey = '';
  /** the status that what it leaves out was asked for with @type {Status | null} */
  let wholeOf = null;

  /** @param {Status} status */
  async function loadWhole(status) {
    wholeOf = status;
    /** @type {DeviceView} */
    let whole;
    try {
      whole = await get(`/devices/${at(id)}`);
    } catch {
      return; // the status says what is wrong
    }
    if (signal.aborted || !laidOut) return;
    shares.replaceChildren(...sharesOf(whole));
    box.replaceChildren(...boxOf(whole));
  }

  function layOut() {
    laidOut = true;
    place.replaceChildren(
      alarm,
      el(
        'div',
        { class: 'columns' },
        card('Now', liveWindows(signal, id)),
        card('How well it does', shares, classes),
      ),
      card('Over time', pastOf(signal, scope, query.get('range'))),
      el('div', { class: 'columns' }, card('Model', model), card('Board and link', box)),
    );
  }

  function draw() {
    const { status, trouble } = state;
    if (status === null) {
      if (trouble) place.replaceChildren(errorNote(trouble));
      return;
    }
    const device = status.devices.find((one) => one.id === id);
    if (device === undefined) {
      head.replaceChildren(el('h1', {}, id));
      place.replaceChildren(
        emptyNote(
          'This gateway knows no such device.',
          el('a', { href: link('fleet') }, 'See those that it knows.'),
        ),
      );
      laidOut = false;
      return;
    }
    if (!laidOut) layOut();
    head.replaceChildren(el('h1', {}, id), mark(device));
    say(
      about,
      [
        device.wearer === null ? null : `worn by ${device.wearer}`,
        device.board,
        device.synthetic ? 'synthetic motion, no real sensor' : null,
        count(device.samples, 'window'),
        device.connected ? 'connected' : `last seen ${ago(device.lastSeen, now())}`,
      ]
        .filter(Boolean)
        .join(' · '),
    );
    drawAlarm(device);
    model.replaceChildren(modelOf(device, scope));
    if (status !== wholeOf) loadWhole(status);
    // what each class is like changes only with labels or windows
    const key = `${device.measured?.labels}/${device.estimated?.windows}/${device.version}`;
    if (key !== qualityKey) {
      qualityKey = key;
      loadQuality();
    }
  }

  let alarmKey = '';
  /** @param {DeviceSummary} device */
  function drawAlarm({ alarm: one }) {
    const key = JSON.stringify([one, state.me?.role]);
    if (key === alarmKey) return;
    alarmKey = key;
    alarm.hidden = one === null;
    if (one === null) return alarm.replaceChildren();
    const until = one.silencedUntil;
    alarm.replaceChildren(
      el(
        'p',
        {},
        badge('bad', 'Alarm', { sign: '▲' }),
        ` ${one.message}, since ${moment(one.since)}.`,
      ),
      ...(until !== null
        ? [
            el(
              'p',
              { class: 'quiet' },
              `Silenced until ${moment(until)}; it is recorded and healed all the same.`,
            ),
          ]
        : []),
      ...(may(state.me?.role ?? null, 'operator')
        ? [el('div', { class: 'row' }, ...silences(one.what, until !== null))]
        : []),
    );
  }

  /** @param {string} what kind of alarm @param {boolean} silenced */
  function silences(what, silenced) {
    if (silenced) {
      const end = () =>
        attempt(
          () => post('/alarms/unsilence', { subject: id }),
          `Alarms of ${id} are told again`,
        ).then(() => refresh(0));
      return [button('Tell of it again', end)];
    }
    return [1, 8, 24].map((hours) =>
      button(`Silence for ${hours} h`, () =>
        attempt(
          () => post('/alarms/silence', { subject: id, what, forMs: hours * 3_600_000 }),
          `${id}: no more of '${what}' for ${hours} h`,
        ).then(() => refresh(0)),
      ),
    );
  }

  async function loadQuality() {
    try {
      /** @type {QualityView} */
      const { classes: all, calibrationError } = await get('/quality', { scope });
      const known = all.filter(({ truths, saids }) => truths + saids > 0);
      classes.replaceChildren(
        known.length === 0
          ? emptyNote(
              'No labelled window yet.',
              'What each class is like is known once somebody said what windows were: ',
              el('a', { href: link('label', null, { scope }) }, 'label some.'),
            )
          : table(
              ['Class', 'Found again', 'Rightly said', 'Labels', 'Said'],
              known.map((c) => [
                c.cls,
                percent(c.recall),
                percent(c.precision),
                String(c.truths),
                String(c.saids),
              ]),
              'accuracy of each class, of labelled windows',
            ),
        ...(calibrationError === null
          ? []
          : [
              el(
                'p',
                { class: 'quiet' },
                `Its confidence is off by ${percent(calibrationError)} on average, of ${count(sum(known), 'label')}.`,
              ),
            ]),
      );
    } catch (error) {
      if (error instanceof ApiError && error.status !== 0)
        classes.replaceChildren(errorNote(error, loadQuality));
    }
  }
  watch(signal, draw);
}

/** @param {DeviceView} device */
function sharesOf(device) {
  const { measured, estimated, accuracy, synthetic, score } = device;
  const past = estimated?.past;
  const off =
    past === null || past === undefined
      ? 'not checked by labels yet'
      : `earlier estimates were off by ${percent(past.meanError)} (${count(past.estimates, 'estimate')}, ${percent(past.held)} within their interval)`;
  return [
    interval('Measured', measured, measured ? count(measured.labels, 'label') : 'no labels yet'),
    interval(
      'Estimated',
      estimated,
      estimated
        ? `${count(estimated.windows, 'window')} without labels, ${estimated.labels === 0 ? 'by their margins alone' : `learned from ${count(estimated.labels, 'label')}`}`
        : 'too few windows, or no labels to learn from',
    ),
    estimated ? el('p', { class: 'quiet small' }, `Estimate: ${off}.`) : null,
    synthetic && accuracy !== null
      ? el(
          'p',
          { class: 'quiet small' },
          `True accuracy, which only the simulation knows: ${percent(accuracy)} of its last 20 gestures.`,
        )
      : null,
    el(
      'p',
      { class: 'quiet small' },
      `Margin ${logits(score)} logits, mean of 10 windows: how far its first choice is ahead of its second.`,
    ),
  ].filter((one) => one !== null);
}

/** @param {DeviceSummary} device @param {string} scope that it is trained for */
function modelOf(device, scope) {
  const { version, release, state: how, scope: serves } = device;
  if (version === null)
    return emptyNote(
      'It has no model yet.',
      'It takes the one of its scope when it next says hello.',
    );
  const train = () =>
    attempt(
      () => /** @type {Promise<TrainView>} */ (post('/train', { scope })),
      ({ released, reason, although }) =>
        `${released ? 'A new model goes out' : 'Nothing new'}: ${reason}${although.length > 0 ? ` (although ${although.join(', ')})` : ''}`,
    ).then(() => refresh(0));
  return el(
    'div',
    {},
    el(
      'dl',
      { class: 'facts' },
      ...fact('Version', el('a', { href: link('models', version) }, shortVersion(version))),
      ...fact('Release', String(release)),
      ...fact('Serves', serves ?? 'nobody'),
      ...fact(
        'State',
        how === 'trial' ? 'on trial: it has to prove itself, or the device goes back' : how,
      ),
    ),
    may(state.me?.role ?? null, 'operator') ? button(`Train for ${scope}`, train) : null,
  );
}

/** @param {DeviceView} device */
function boxOf({ board, link: secured, wear, dropped, lastSeen, connected }) {
  const suites = {
    ccm: 'encrypted (AES-128-CCM)',
    mac: 'authenticated, not encrypted',
    none: 'neither encrypted nor authenticated',
  };
  const refused = Object.entries(secured.refused);
  return [
    ...fact('Board', board),
    ...fact(
      'Link',
      secured.suite === null ? 'not here since the gateway started' : suites[secured.suite],
    ),
    ...(secured.weak
      ? fact('Weaker than it could be', badge('warn', 'weak link', { sign: '◇' }))
      : []),
    ...(secured.generation === null ? [] : fact('Keys', `generation ${secured.generation}`)),
    ...fact(
      'Turned away',
      `${count(secured.badFrames, 'damaged frame')}, ${count(secured.replays, 'replay')}`,
    ),
    ...(refused.length === 0
      ? []
      : fact('Refused', refused.map(([what, n]) => `${what}: ${n}`).join(', '))),
    ...fact('Waiting to be sent', count(secured.waiting, 'message')),
    ...fact('Evicted before stored', dropped === 0 ? 'no window' : count(dropped, 'window')),
    ...fact('Flash', wearOf(wear)),
    ...fact('Seen', connected ? 'now' : lastSeen === null ? 'never' : moment(lastSeen)),
  ];
}

/** @param {DeviceView['wear']} wear */
function wearOf(wear) {
  if (wear === null) return 'erases not counted yet';
  const { erases, cycles } = wear;
  return `${count(erases, 'erase')}${cycles ? ` of ${cycles.toLocaleString('en')} that a page stands (${percent(erases / cycles)})` : ''}`;
}

/** @param {QualityView['classes']} classes */
const sum = (classes) => classes.reduce((all, { truths }) => all + truths, 0);
