import { failureOf, remove } from './api.js';
import { byId as $, el, say } from './dom.js';
import { moment } from './figures.js';
import { bindKeys, boundKeys, startKeys } from './keys.js';
import * as device from './pages/device.js';
import * as events from './pages/events.js';
import * as fleet from './pages/fleet.js';
import * as label from './pages/label.js';
import * as models from './pages/models.js';
import * as rollouts from './pages/rollouts.js';
import * as settings from './pages/settings.js';
import * as signIn from './pages/sign-in.js';
import { may } from './roles.js';
import { here, link } from './route.js';
import { refresh, signOut, startState, state, watch, whoAmI } from './state.js';
import { nextTheme, startTheme, theme } from './theme.js';
import { errorNote, loadingNote } from './widgets/note.js';

/**
 * @import { Role } from '../roles.ts'
 * @import { Caller } from '../views/token.ts'
 * @import { Route } from './route.js'
 */

/** The frame around every page: where one goes, whether the gateway is reached, what is alarmed. */

/**
 * What a module of `pages/` is.
 *
 * @typedef {{ title(route: Route): string,
 *   open(root: HTMLElement, route: Route, signal: AbortSignal): void }} Page
 */

/** @type {Record<string, Page | undefined>} */
const PAGES = { fleet, device, models, rollouts, label, events, settings, 'sign-in': signIn };
/**
 * In the navigation: the least role that it is offered to.
 *
 * @type {[page: string, keyAfterG: string, name: string, least: Role][]}
 */
const NAV = [
  ['fleet', 'f', 'Fleet', 'viewer'],
  ['models', 'm', 'Models', 'viewer'],
  ['rollouts', 'r', 'Rollouts', 'viewer'],
  ['label', 'l', 'Label', 'labeller'],
  ['events', 'e', 'Events', 'viewer'],
  ['settings', 's', 'Settings', 'viewer'],
];
/** Alarms that are named at the top; the others are counted. */
const NAMED = innerWidth < 640 ? 1 : 3;

const forEver = new AbortController().signal;
let shown = new AbortController();
let nowShown = '';

function show() {
  const route = here();
  if (state.me === null && route.page !== 'sign-in') return;
  const address = `${route.page}/${route.item ?? ''}`;
  shown.abort();
  shown = new AbortController();
  const page = Object.hasOwn(PAGES, route.page) ? PAGES[route.page] : undefined;
  const root = el('div', { class: `page page-${route.page}` });
  $('page').replaceChildren(root);
  const title = page?.title(route) ?? 'No such page';
  document.title = `${title} · Whetstone`;
  if (page === undefined)
    root.append(el('h1', {}, title), el('p', {}, el('a', { href: link('fleet') }, 'To the fleet')));
  else page.open(root, route, shown.signal);
  // who reads with a screen reader hears the new page; the first one is read anyway
  if (nowShown !== '' && nowShown !== address && route.page !== 'label') $('page').focus();
  if (nowShown.split('/')[0] !== route.page) scrollTo(0, 0);
  nowShown = address;
  drawNav(route.page);
  drawLink();
}

/** @param {string} page */
function drawNav(page) {
  const at = page === 'device' ? 'fleet' : page;
  const role = state.me?.role ?? null;
  $('nav').hidden = role === null;
  $('nav').replaceChildren(
    ...NAV.filter(([, , , least]) => may(role, least)).map(([name, key, text]) =>
      el(
        'a',
        {
          href: link(name),
          'aria-current': name === at ? 'page' : null,
          'aria-keyshortcuts': `g ${key}`,
        },
        text,
      ),
    ),
  );
}

/** @param {Caller} me */
const nameOf = ({ name, role, via }) =>
  via === 'loopback' ? `${role}, on this machine` : `${name} (${role})`;

function drawMe() {
  const { me } = state;
  if (me === null) return $('me').replaceChildren();
  const who = el('span', { class: 'quiet', title: `role ${me.role}, by ${me.via}` }, nameOf(me));
  const leave = async () => {
    await remove('/session').catch(() => {});
    signOut();
  };
  $('me').replaceChildren(
    who,
    ...(me.via === 'session'
      ? [el('button', { type: 'button', class: 'plain', onclick: leave }, 'Sign out')]
      : []),
  );
}

function drawLink() {
  const { link: reached, lostAt, trouble, status } = state;
  document.body.dataset.link = reached;
  const words = {
    loading: 'connecting',
    live: 'live',
    offline: 'offline',
    error: 'gateway in trouble',
  };
  const isOut = state.me === null && here().page === 'sign-in';
  say($('link'), isOut ? 'signed out' : words[reached]);
  say($('sentence'), isOut ? '' : (status?.sentence ?? 'Asking the gateway …'));
  const isLost = lostAt !== null && (reached === 'offline' || reached === 'error');
  $('lost').hidden = !isLost;
  if (!isLost) return say($('lost'), '');
  const since = `since ${moment(lostAt)}`;
  say(
    $('lost'),
    reached === 'offline' || trouble === null
      ? `The gateway is not reached, ${since}. Trying again by itself; what is shown is from before.`
      : `The gateway reports: ${trouble.message}${trouble.hint ? ` (${trouble.hint})` : ''}, ${since}. Trying again by itself.`,
  );
}

/** Alarms that nobody silenced, by name; the live region changes only when there is something to say. */
function drawAlarms() {
  const alarmed = (state.status?.devices ?? []).flatMap(({ id, alarm }) =>
    alarm !== null && alarm.silencedUntil === null ? [{ id, alarm }] : [],
  );
  const text = alarmed.map(({ id, alarm }) => `${id} ${alarm.message}`).join('\n');
  if ($('alarms').dataset.text === text) return;
  $('alarms').dataset.text = text;
  const more = alarmed.length - NAMED;
  $('alarms').replaceChildren(
    ...alarmed
      .slice(0, NAMED)
      .map(({ id, alarm }) =>
        el(
          'p',
          {},
          el('span', { 'aria-hidden': 'true' }, '▲ '),
          el('a', { href: link('device', id) }, id),
          `: ${alarm.message}, since ${moment(alarm.since)}`,
        ),
      ),
    ...(more > 0
      ? [el('p', {}, el('a', { href: link('fleet', null, { only: 'alarm' }) }, `and ${more} more`))]
      : []),
  );
}

function drawTheme() {
  say($('theme'), { auto: '◐ Automatic', light: '○ Light', dark: '● Dark' }[theme()]);
}

function help() {
  const dialog = el(
    'dialog',
    { class: 'confirm', 'aria-labelledby': 'help-title' },
    el('h2', { id: 'help-title' }, 'Keys'),
    el(
      'dl',
      { class: 'keys' },
      ...boundKeys().flatMap(([key, does]) => [
        el('dt', {}, el('kbd', {}, key)),
        el('dd', {}, does),
      ]),
    ),
    el('form', { method: 'dialog' }, el('button', { class: 'primary' }, 'Close')),
  );
  document.body.append(dialog);
  dialog.addEventListener('close', () => dialog.remove());
  dialog.showModal();
}

async function begin() {
  $('page').replaceChildren(el('div', { class: 'page' }, loadingNote('the gateway')));
  try {
    await whoAmI();
  } catch (error) {
    if (failureOf(error).status === 401) return toSignIn();
    $('page').replaceChildren(el('div', { class: 'page' }, errorNote(error, begin)));
    setTimeout(() => state.me === null && here().page !== 'sign-in' && begin(), 3000);
    return;
  }
  startState(toSignIn);
  if (here().page === 'sign-in') location.hash = signIn.wanted();
  show();
}

function toSignIn() {
  if (here().page !== 'sign-in') location.hash = link('sign-in', null, { to: location.hash });
  show();
}

startTheme();
startKeys();
drawTheme();
bindKeys(forEver, {
  '?': { does: 'these keys', run: help },
  t: { does: 'light, dark or automatic', run: () => $('theme').click() },
  ...Object.fromEntries(
    NAV.map(([name, key, text, least]) => [
      `g ${key}`,
      {
        does: `to ${text}`,
        run() {
          if (may(state.me?.role ?? null, least)) location.hash = link(name);
        },
      },
    ]),
  ),
});
$('theme').addEventListener('click', () => {
  nextTheme();
  drawTheme();
});
$('help').addEventListener('click', help);
$('skip').addEventListener('click', (event) => {
  event.preventDefault();
  $('page').focus();
});
addEventListener('hashchange', show);
addEventListener('online', () => refresh(0));
watch(forEver, () => {
  drawLink();
  drawMe();
  drawAlarms();
});
signIn.onSignedIn(begin);
begin();
