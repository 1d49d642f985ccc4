import { at, post } from '../api.js';
import { el } from '../dom.js';
import { may } from '../roles.js';
import { link } from '../route.js';
import { refresh } from '../state.js';
import { shortVersion } from '../words.js';
import { button } from './button.js';
import { confirm } from './confirm.js';
import { badge } from './mark.js';
import { attempt } from './toast.js';

/**
 * @import { Role } from '../../roles.ts'
 * @import { RolloutSummary } from '../../views/rollout.ts'
 */

/** What a person decides about an update: a yes, a stop, and the sign that one is waited for. */

/** @typedef {Pick<RolloutSummary, 'id' | 'version' | 'scope'>} Update */

/** Lets an update go on to the rest. @param {Update} rollout */
export function approveButton({ id, version }) {
  const short = shortVersion(version);
  const deed = async () => {
    await attempt(() => post(`/rollouts/${at(id)}/approve`), `${short} goes to the rest`);
    refresh(0);
  };
  return button(`Approve ${short}`, deed, { kind: 'primary' });
}

/** Ends an update and takes back what went out, after asking. @param {Update} rollout */
export function stopButton({ id, version, scope }) {
  const short = shortVersion(version);
  const deed = async () => {
    const said = await confirm({
      ...{ title: `Stop ${short}?`, act: 'Stop and take back', danger: true },
      ...{
        text: `No further device of ${scope} gets it, and those that have it go back.`,
        reason: 'Why (for the log)',
      },
    });
    if (said === null) return;
    const body = said.reason === '' ? {} : { reason: said.reason };
    await attempt(
      () => post(`/rollouts/${at(id)}/stop`, body),
      `${short} is stopped and taken back`,
    );
    refresh(0);
  };
  return button('Stop and take back', deed, { kind: 'danger' });
}

/**
 * Says that an update waits for a person, with the buttons where the role may press them.
 *
 * @param {Update & { reason: string | null }} rollout in stage 'awaiting-approval'
 * @param {Role | null} role
 */
export function approvalSign(rollout, role) {
  return el(
    'section',
    { class: 'sign', 'aria-label': `${shortVersion(rollout.version)} waits for approval` },
    el(
      'p',
      {},
      badge('warn', "waits for a person's yes", { sign: '◐' }),
      ' ',
      el('a', { href: link('rollouts') }, `${shortVersion(rollout.version)} for ${rollout.scope}`),
    ),
    el('p', { class: 'why' }, rollout.reason),
    may(role, 'operator')
      ? el('div', { class: 'row' }, approveButton(rollout), stopButton(rollout))
      : el('p', { class: 'quiet' }, 'Your role may look: an operator has to say yes or stop it.'),
  );
}
