import { failureOf, get } from './api.js';
import { follow } from './live.js';

/**
 * @import { ApiError } from './api.js'
 * @import { GatewayEvent, Status } from '../views/status.ts'
 * @import { Caller } from '../views/token.ts'
 * @import { WindowView } from '../views/window.ts'
 */

/**
 * What all pages know: who is here, the gateway's status, and whether it is reached. Pages watch it;
 * nobody else asks for the status.
 */
export const state = {
  /** @type {Caller | null} */
  me: null,
  /** null until it has come @type {Status | null} */
  status: null,
  /** @type {'loading' | 'live' | 'offline' | 'error'} */
  link: 'loading',
  /** since when it is not reached, ms; null while it is @type {number | null} */
  lostAt: null,
  /** what the gateway said when it failed @type {ApiError | null} */
  trouble: null,
  /** the gateway's clock minus this computer's, ms */
  skew: 0,
};

const IDLE_MS = 5000;
const SOON_MS = 700;
/** A status that takes long to make is asked for less often: it has at most this share of the time. */
const SHARE = 0.1;

/** @type {Set<() => void>} */
const watchers = new Set();
/** @type {Set<(event: GatewayEvent) => void>} */
const onEvents = new Set();
/** @type {Set<(window: WindowView) => void>} */
const onWindows = new Set();
/** @type {(() => void) | null} */
let unfollow = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let dueAt = Infinity;
let restMs = SOON_MS;
let running = false;
/** whether the live connection stands */
let connected = false;

/** The gateway's time. */
export const now = () => Date.now() + state.skew;

/**
 * @template L
 * @param {Set<L>} set
 * @param {AbortSignal} signal ends it
 * @param {L} listener
 */
function subscribe(set, signal, listener) {
  set.add(listener);
  signal.addEventListener('abort', () => set.delete(listener));
}

/**
 * Calls back now and whenever the state changed.
 *
 * @param {AbortSignal} signal ends it
 * @param {() => void} listener
 */
export function watch(signal, listener) {
  subscribe(watchers, signal, listener);
  listener();
}
/** @param {AbortSignal} signal ends it @param {(event: GatewayEvent) => void} listener */
export const onEvent = (signal, listener) => subscribe(onEvents, signal, listener);
/** @param {AbortSignal} signal ends it @param {(window: WindowView) => void} listener */
export const onWindow = (signal, listener) => subscribe(onWindows, signal, listener);

function changed() {
  for (const listener of [...watchers]) listener();
}

/** Who is here; throws where nobody signed in. */
export async function whoAmI() {
  state.me = await get('/me');
  changed();
}

/** Asks for the status before long, or within `ms`. */
export function refresh(ms = SOON_MS) {
  const at = Date.now() + Math.max(ms, ms === 0 ? 0 : restMs);
  if (at >= dueAt) return;
  dueAt = at;
  clearTimeout(timer);
  timer = setTimeout(poll, at - Date.now());
}

async function poll() {
  dueAt = Infinity;
  if (running || state.me === null) return;
  running = true;
  const began = Date.now();
  try {
    /** @type {Status} */
    const status = await get('/status');
    state.status = status;
    state.skew = status.at - Date.now();
    state.trouble = null;
    if (connected || unfollow === null) reached();
    if (unfollow === null) startFollowing(status.lastEvent);
  } catch (error) {
    const failure = failureOf(error);
    if (failure.status === 401) return signOut();
    state.link = failure.status === 0 ? 'offline' : 'error';
    state.lostAt ??= Date.now();
    state.trouble = failure;
  } finally {
    running = false;
  }
  restMs = Math.max(SOON_MS, (Date.now() - began) / SHARE);
  changed();
  refresh(state.link === 'live' ? IDLE_MS : 2000);
}

function reached() {
  state.lostAt = null;
  state.link = 'live';
}

/** @param {number} since id of the newest event that is known */
function startFollowing(since) {
  unfollow = follow({
    since,
    onEvent(event) {
      for (const listener of [...onEvents]) listener(event);
      refresh();
    },
    onWindow(window) {
      for (const listener of [...onWindows]) listener(window);
    },
    onSkipped() {},
    onOpen() {
      connected = true;
      reached();
      refresh(0);
      changed();
    },
    onLost() {
      connected = false;
      state.lostAt ??= Date.now();
      state.link = 'offline';
      changed();
      refresh();
    },
  });
}

let onSignOut = () => {};

/** @param {() => void} gone called when the gateway no longer knows who is here */
export function startState(gone) {
  onSignOut = gone;
  refresh(0);
}

/** Forgets everything that was shown to who was here. */
export function signOut() {
  unfollow?.();
  unfollow = null;
  connected = false;
  clearTimeout(timer);
  dueAt = Infinity;
  Object.assign(state, { me: null, status: null, link: 'loading', lostAt: null, trouble: null });
  changed();
  onSignOut();
}
