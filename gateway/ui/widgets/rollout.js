import { at, get } from '../api.js';
import { el } from '../dom.js';
import { ago, bytes, count, lasted } from '../figures.js';
import { link } from '../route.js';
import { shortVersion } from '../words.js';
import { badge } from './mark.js';
import { errorNote } from './note.js';
import { table } from './table.js';

/** @import { RolloutSummary, RolloutView } from '../../views/rollout.ts' */

/** Steps on the way of an update, and which of them each stage stands at. */
const STEPS = ['canary', 'awaiting-approval', 'rest', 'settled'];
/** @type {Record<string, string | undefined>} */
const WORDS = {
  canary: 'canary',
  'awaiting-approval': "waits for a person's yes",
  rest: 'the rest',
  settled: 'done',
  returning: 'being taken back',
  returned: 'taken back',
  superseded: 'overtaken by a newer update',
};
/** @type {Record<string, string | undefined>} */
const TONES = {
  ...{ settled: 'good', returning: 'bad', returned: 'bad', superseded: 'plain' },
  ...{ 'awaiting-approval': 'warn' },
};
const DONE = ['confirmed', 'spared'];
const BAD = ['refused', 'failed', 'reverting', 'returning', 'back'];

/** An update that still moves. @param {Pick<RolloutView, 'stage'>} rollout */
export const isOpen = ({ stage }) => ['canary', 'awaiting-approval', 'rest'].includes(stage);
/** One that moves, there or back. @param {Pick<RolloutView, 'stage'>} rollout */
export const isMoving = (rollout) => isOpen(rollout) || rollout.stage === 'returning';

/**
 * How an update fares, device by device.
 *
 * @param {RolloutSummary} rollout
 * @param {number} now
 * @param {Node[]} deeds what may be done with it
 */
export function rolloutCard(rollout, now, deeds) {
  const { version, previous, scope, stage, devices, total, startedAt, endedAt, reason } = rollout;
  const { done, wireBytes: wire } = total;
  /** @param {RolloutView['devices']} some */
  const rows = (some) => {
    const isPlain = some.every((device) => device.reason === '');
    return table(
      ['Device', 'State', 'On the wire', ...(isPlain ? [] : ['Why'])],
      some.map(({ id, state, wireBytes, reason: why }) => [
        el('a', { href: link('device', id) }, id),
        badge(DONE.includes(state) ? 'good' : BAD.includes(state) ? 'bad' : 'warn', state),
        wireBytes > 0 ? bytes(wireBytes) : '–',
        ...(isPlain ? [] : [why]),
      ]),
      `devices of update ${shortVersion(version)}`,
    );
  };
  return el(
    'article',
    { class: 'card rollout', 'data-id': rollout.id, 'data-stage': stage },
    el(
      'header',
      { class: 'row' },
      el(
        'h3',
        {},
        el('a', { href: link('models', version) }, shortVersion(version)),
        ` for ${scope}`,
      ),
      badge(TONES[stage] ?? 'warn', WORDS[stage] ?? stage),
    ),
    steps(stage),
    el(
      'p',
      {},
      `${done} of ${count(total.devices, 'device')} done, ${bytes(wire)} on the wire. `,
      el(
        'span',
        { class: 'quiet' },
        `Begun ${ago(startedAt, now)}${endedAt === null ? '' : `, took ${lasted(endedAt - startedAt)}`}${previous === null ? ', the first of its scope' : `, after ${shortVersion(previous)}`}.`,
      ),
    ),
    el('progress', { max: Math.max(1, total.devices), value: done, 'aria-label': 'devices done' }),
    reason === null || reason === '' ? null : el('p', { class: 'why' }, reason),
    devices.length === 0 ? null : rows(devices),
    total.devices <= devices.length ? null : others(rollout, rows),
    deeds.length === 0 ? null : el('div', { class: 'row' }, ...deeds),
  );
}

/**
 * The devices that the status does not list, asked for when somebody wants to see them.
 *
 * @param {RolloutSummary} rollout
 * @param {(some: RolloutView['devices']) => Node} rows
 */
function others({ id, devices: listed, total }, rows) {
  const place = el('div');
  const known = new Set(listed.map((device) => device.id));
  const box = el(
    'details',
    {},
    el('summary', {}, `and ${total.devices - listed.length} more`),
    place,
  );
  box.addEventListener('toggle', async () => {
    if (!box.open) return;
    try {
      /** @type {RolloutView} */
      const { devices } = await get(`/rollouts/${at(id)}`);
      place.replaceChildren(rows(devices.filter((device) => !known.has(device.id))));
    } catch (error) {
      place.replaceChildren(errorNote(error));
    }
  });
  return box;
}

/** @param {string} stage */
function steps(stage) {
  const at = STEPS.indexOf(stage);
  if (at < 0) return null;
  const shown = STEPS.filter((step) => step !== 'awaiting-approval' || stage === step);
  return el(
    'ol',
    { class: 'steps', 'aria-label': 'stages' },
    ...shown.map((step) => {
      const place = STEPS.indexOf(step);
      const now = place === at;
      const past = place < at || stage === 'settled';
      return el(
        'li',
        { class: past ? 'past' : now ? 'now' : null, 'aria-current': now ? 'step' : null },
        WORDS[step],
      );
    }),
  );
}
