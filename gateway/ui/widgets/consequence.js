import { el } from '../dom.js';
import { link } from '../route.js';
import { onEvent } from '../state.js';
import { sentence, shortVersion } from '../words.js';

/** @import { GatewayEvent } from '../../views/status.ts' */

/** @typedef {'labels' | 'training' | 'gate' | 'canary' | 'everywhere'} Step */

/** @type {[step: Step, name: string][]} */
const STEPS = [
  ['labels', 'Labels'],
  ['training', 'Training'],
  ['gate', 'Gate'],
  ['canary', 'Canary'],
  ['everywhere', 'Everywhere'],
];

/**
 * What labels did: from the first of them to a model that is everywhere. Follows events of the scope
 * from now on.
 *
 * @param {AbortSignal} signal ends it
 * @param {string} scope
 */
export function consequence(signal, scope) {
  /** @type {Record<Step, string>} */
  const state = { labels: '', training: '', gate: '', canary: '', everywhere: '' };
  /** @type {Partial<Record<Step, 'past' | 'now' | 'bad'>>} */
  const tone = {};
  const steps = el('ol', { class: 'chain', 'aria-label': 'What the labels did' });
  const said = el(
    'p',
    { class: 'quiet', role: 'status' },
    'Labels teach once there are enough of them.',
  );
  /** @type {string | null} */
  let version = null;

  /** @param {GatewayEvent} event */
  const concerns = ({ subject, data }) =>
    scope === 'fleet' ||
    [subject, data.scope, data.device, `device:${subject}`].some(
      (one) => one === scope || one === 'fleet' || scope === `device:${one}`,
    ) ||
    (version !== null && [subject, data.version].includes(version));

  function draw() {
    steps.replaceChildren(
      ...STEPS.map(([key, name]) =>
        el(
          'li',
          { class: state[key] === '' ? null : (tone[key] ?? 'past'), 'data-step': key },
          el('b', {}, name),
          el('span', {}, state[key] || '–'),
        ),
      ),
    );
  }
  /** @param {Step} key @param {string} text @param {'past' | 'now' | 'bad'} [how] */
  function set(key, text, how = 'past') {
    state[key] = text;
    tone[key] = how;
  }
  /** @param {...Step} keys */
  function forget(...keys) {
    for (const key of keys) state[key] = '';
  }

  /** @type {Record<string, ((event: GatewayEvent) => void) | undefined>} */
  const react = {
    'label.added': ({ data: { have, want } }) => {
      if (typeof have !== 'number' || typeof want !== 'number') return set('labels', 'came', 'now');
      set('labels', have > want ? `${have}` : `${have} of ${want}`, have >= want ? 'past' : 'now');
    },
    'train.waiting': () => set('training', 'waits', 'now'),
    'train.started': () => {
      forget('gate', 'canary', 'everywhere');
      set('training', 'under way', 'now');
    },
    'train.finished': ({ data }) =>
      set('training', typeof data.rung === 'string' ? `done: ${data.rung}` : 'done'),
    'train.failed': () => set('training', 'no candidate', 'bad'),
    'gate.passed': () => set('gate', 'passed'),
    'gate.refused': () => {
      set('training', 'done');
      set('gate', 'refused', 'bad');
    },
    'model.registered': ({ subject }) => {
      version = subject;
    },
    'rollout.started': ({ data }) => {
      if (typeof data.version === 'string') version = data.version;
      set('canary', 'under way', 'now');
    },
    'rollout.done': () => {
      set('canary', 'passed');
      set('everywhere', 'confirmed');
    },
    'rollout.rolledback': () => {
      set('canary', 'taken back', 'bad');
      forget('everywhere');
    },
  };
  onEvent(signal, (event) => {
    const reaction = react[event.kind];
    if (reaction === undefined || !concerns(event)) return;
    reaction(event);
    draw();
    said.replaceChildren(
      `${sentence(event)} `,
      version === null
        ? ''
        : el('a', { href: link('models', version) }, `See ${shortVersion(version)}`),
    );
  });
  draw();
  return el('div', { class: 'consequence' }, steps, said);
}
