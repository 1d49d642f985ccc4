import { post } from '../api.js';
import { el, keep } from '../dom.js';
import { may } from '../roles.js';
import { now, refresh, state, watch } from '../state.js';
import { button } from '../widgets/button.js';
import { confirm } from '../widgets/confirm.js';
import { approveButton, stopButton } from '../widgets/decide.js';
import { emptyNote, errorNote, loadingNote } from '../widgets/note.js';
import { isMoving, isOpen, rolloutCard } from '../widgets/rollout.js';
import { attempt } from '../widgets/toast.js';
import { shortVersion } from '../words.js';

/**
 * @import { Role } from '../../roles.ts'
 * @import { RolloutSummary } from '../../views/rollout.ts'
 * @import { Route } from '../route.js'
 */

export const title = () => 'Rollouts';

/**
 * Updates on their way, with the hand on the brake; then those that came to their end.
 *
 * @param {HTMLElement} root
 * @param {Route} _route
 * @param {AbortSignal} signal
 */
export function open(root, _route, signal) {
  const moving = el('div', { class: 'cards', 'aria-live': 'polite' });
  const past = el('div', { class: 'cards' });
  const place = el('div');
  const pastTitle = el('h2', {}, 'Before');
  root.append(el('h1', {}, 'Rollouts'), place, moving, pastTitle, past);

  function draw() {
    const { status, trouble } = state;
    const rollouts = status?.rollouts.toSorted((a, b) => b.startedAt - a.startedAt) ?? [];
    pastTitle.hidden = rollouts.every(isMoving);
    if (status === null) {
      place.replaceChildren(trouble ? errorNote(trouble) : loadingNote('the updates'));
      return;
    }
    if (rollouts.length === 0) {
      place.replaceChildren(
        emptyNote(
          'No update yet.',
          'When accuracy falls and labels arrive, a retrained model goes to a canary first.',
        ),
      );
    } else if (!rollouts.some(isMoving)) {
      place.replaceChildren(el('p', { class: 'quiet' }, 'No update is on its way.'));
    } else place.replaceChildren();
    const role = state.me?.role ?? null;
    const newest = new Map(rollouts.toReversed().map(({ scope, id }) => [scope, id]));
    /** @param {Element} box @param {RolloutSummary[]} some */
    const cards = (box, some) =>
      keep(
        box,
        some.map((rollout) => ({
          ...rollout,
          role,
          newest: newest.get(rollout.scope) === rollout.id,
        })),
        ({ id }) => id,
        () => el('div'),
        (element, rollout) =>
          element.replaceChildren(rolloutCard(rollout, now(), deeds(rollout, role))),
      );
    cards(moving, rollouts.filter(isMoving));
    cards(
      past,
      rollouts.filter((rollout) => !isMoving(rollout)),
    );
  }
  watch(signal, draw);
}

/**
 * What this role may do with an update where it stands.
 *
 * @param {RolloutSummary & { newest: boolean }} rollout newest: of its scope
 * @param {Role | null} role
 */
function deeds(rollout, role) {
  const { version, stage, scope, previous } = rollout;
  if (!may(role, 'operator')) return [];
  const short = shortVersion(version);
  const list = [];
  if (stage === 'awaiting-approval') list.push(approveButton(rollout));
  if (isOpen(rollout)) list.push(stopButton(rollout));
  // the first model of the fleet has none before it; that of a device or a cohort has the fleet's
  if (stage === 'settled' && rollout.newest && (previous !== null || scope !== 'fleet')) {
    list.push(
      button('Roll back', async () => {
        const said = await confirm({
          ...{ title: `Roll ${short} back?`, act: 'Roll back', danger: true },
          text: `Devices of ${scope} go back to ${previous === null ? 'the model that they had before' : shortVersion(previous)}.`,
        });
        if (said === null) return;
        await attempt(() => post('/rollback', { version }), `${short} is being taken back`);
        refresh(0);
      }),
    );
  }
  return list;
}
