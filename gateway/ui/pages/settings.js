import { at, get, post } from '../api.js';
import { el } from '../dom.js';
import { ago, bytes, moment } from '../figures.js';
import { may } from '../roles.js';
import { now, state, watch } from '../state.js';
import { button } from '../widgets/button.js';
import { card, fact } from '../widgets/card.js';
import { confirm } from '../widgets/confirm.js';
import { badge } from '../widgets/mark.js';
import { emptyNote, errorNote, loadingNote } from '../widgets/note.js';
import { table } from '../widgets/table.js';
import { attempt } from '../widgets/toast.js';

/**
 * @import { Role } from '../../roles.ts'
 * @import { SigningKeyView } from '../../views/key.ts'
 * @import { Status } from '../../views/status.ts'
 * @import { AddedToken, Caller, TokenView } from '../../views/token.ts'
 * @import { Route } from '../route.js'
 */

export const title = () => 'Settings';

/** @type {Record<Role, string>} */
const ROLES = {
  viewer: 'sees everything',
  labeller: 'also labels',
  operator: 'also trains, promotes, stops, rolls back',
  admin: 'also gives out tokens and keys',
};

/**
 * Who may do what, and what the gateway keeps.
 *
 * @param {HTMLElement} root
 * @param {Route} _route
 * @param {AbortSignal} signal
 */
export function open(root, _route, signal) {
  const me = el('div');
  const tokens = el('div', {}, loadingNote('the tokens', 2));
  const keys = el('div', {}, loadingNote('the keys', 2));
  const store = el('dl', { class: 'facts' });
  const isAdmin = may(state.me?.role ?? null, 'admin');
  root.append(
    el('h1', {}, 'Settings'),
    card('You', me),
    ...(isAdmin ? [card('Tokens', tokens), card('Signing keys', keys)] : []),
    card('Store', store),
  );
  if (isAdmin) {
    tokenPart(tokens, signal);
    keyPart(keys, signal);
  }
  watch(signal, () => {
    if (state.me !== null) me.replaceChildren(...meOf(state.me));
    if (state.status !== null) store.replaceChildren(...storeOf(state.status));
  });
}

/** @param {Caller} me */
function meOf({ name, role, via }) {
  const ways = {
    loopback: 'on this machine, so without a token',
    token: 'by a token',
    session: 'by a session in this browser',
  };
  return [
    el('p', {}, `${via === 'loopback' ? '' : `${name}, `}${role}: ${ways[via]}.`),
    el(
      'ul',
      { class: 'roles' },
      ...Object.entries(ROLES).map(([one, may]) =>
        el('li', {}, one === role ? el('b', {}, one) : one, ` ${may}`),
      ),
    ),
  ];
}

/** @param {HTMLElement} box @param {AbortSignal} signal */
function tokenPart(box, signal) {
  const made = el('div', { role: 'status' });
  const list = el('div');
  const name = el('input', {
    id: 'token-name',
    required: true,
    maxlength: 60,
    autocomplete: 'off',
    placeholder: 'bench tablet',
  });
  const role = el(
    'select',
    { id: 'token-role' },
    ...Object.keys(ROLES).map((one) => el('option', { value: one }, one)),
  );
  const days = el('input', {
    id: 'token-days',
    type: 'number',
    min: 1,
    max: 3650,
    placeholder: 'for ever',
  });
  const form = el(
    'form',
    { class: 'controls' },
    el('label', { for: 'token-name' }, 'Name', name),
    el('label', { for: 'token-role' }, 'Role', role),
    el('label', { for: 'token-days' }, 'Days', days),
    el('button', { class: 'primary' }, 'Make a token'),
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const body = {
      name: name.value.trim(),
      role: role.value,
      ...(days.value && { days: Number(days.value) }),
    };
    /** @type {AddedToken | undefined} */
    const token = await attempt(() => post('/tokens', body));
    if (token === undefined) return;
    made.replaceChildren(
      el('p', {}, `The token of ${token.name}, shown this once:`),
      el('code', { class: 'secret', tabindex: 0 }, token.token),
      button('Copy', () => navigator.clipboard.writeText(token.token)),
    );
    form.reset();
    load();
  });

  async function load() {
    try {
      /** @type {TokenView[]} */
      const all = await get('/tokens');
      if (signal.aborted) return;
      list.replaceChildren(
        all.length === 0
          ? emptyNote(
              'No token yet.',
              'On this machine none is needed; from elsewhere nothing goes without.',
            )
          : table(['Name', 'Role', '', 'Until', 'Used', 'Made'], all.map(row), 'tokens'),
      );
      box.replaceChildren(form, made, list);
    } catch (error) {
      if (!signal.aborted) box.replaceChildren(errorNote(error, load));
    }
  }

  /** @param {TokenView} token */
  function row(token) {
    const { id, addedAt, usedAt, expiresAt, revokedAt, valid } = token;
    const end = async () => {
      const said = await confirm({
        ...{ title: `Revoke the token of ${token.name}?`, act: 'Revoke', danger: true },
        text: 'Whoever uses it is refused from now on, sessions that it began included.',
      });
      if (said === null) return;
      await attempt(
        () => post(`/tokens/${at(id)}/revoke`),
        `The token of ${token.name} is revoked`,
      );
      load();
    };
    return [
      token.name,
      token.role,
      // where the page is narrow the times are what is scrolled to
      revokedAt
        ? badge('bad', `revoked ${moment(revokedAt)}`)
        : !valid
          ? badge('plain', 'over')
          : button('Revoke', end, { kind: 'danger' }),
      expiresAt ? moment(expiresAt) : 'for ever',
      usedAt ? ago(usedAt, now()) : 'not yet',
      moment(addedAt),
    ];
  }
  load();
}

/** @param {HTMLElement} box @param {AbortSignal} signal */
function keyPart(box, signal) {
  async function load() {
    try {
      /** @type {SigningKeyView[]} */
      const all = await get('/signing');
      if (signal.aborted) return;
      box.replaceChildren(
        table(
          ['Key', 'Since', 'Versions', 'State'],
          all.map(({ id, since, versions, current, revoked }) => [
            el('code', {}, id),
            moment(since),
            String(versions),
            revoked
              ? badge('bad', `revoked: ${revoked.reason}`)
              : badge(current ? 'good' : 'plain', current ? 'signs now' : 'trusted'),
          ]),
          'signing keys',
        ),
        el(
          'p',
          { class: 'quiet' },
          'To change them: ',
          el('code', {}, 'npx whetstone signing'),
          '.',
        ),
      );
    } catch (error) {
      if (!signal.aborted) box.replaceChildren(errorNote(error, load));
    }
  }
  load();
}

/** @param {Status} status */
function storeOf({ store, task, classes, startedAt, synthetic }) {
  const { retention, keyId, fullSince } = store;
  return [
    ...fact('Task', `${task}: ${classes.join(', ')}`),
    ...(synthetic ? fact('Sensors', 'synthetic motion, no real sensor') : []),
    ...fact('Up since', moment(startedAt)),
    ...fact('Size', bytes(store.bytes)),
    ...fact('Encrypted', keyId === null ? 'no' : `with key ${keyId}`),
    ...fact(
      'Kept',
      retention === null
        ? 'everything'
        : `${retention.maxDays === null ? '' : `${retention.maxDays} days, `}${retention.maxBytes === null ? '' : `at most ${bytes(retention.maxBytes)}, `}${retention.removed} windows removed so far`,
    ),
    ...(fullSince === null
      ? []
      : fact('Disk', badge('bad', `takes nothing since ${moment(fullSince)}`))),
  ];
}
