import { WebSocket } from 'ws';
import type { Calls, GatewayEvent } from '../calls.ts';
import { GatewayError } from '../errors.ts';
import type { LiveMessage } from '../views/live.ts';
import { ask, type Remote, shown, tlsOf, unreachable } from './ask.ts';

/**
 * The calls of a gateway that runs in another process, over its HTTP API.
 *
 * @param gateway its address, 'http://127.0.0.1:7380', and what it is to be shown
 * @returns the same calls; each throws what the gateway threw, or GatewayError 'not-running'
 */
export function remoteCalls(gateway: string | Remote): Calls {
  const base = remoteOf(gateway);
  const get = <T>(path: string, query: object = {}) => ask<T>(base, path + search(query));
  const post = <T>(path: string, body: object = {}) => ask<T>(base, path, body);
  const at = encodeURIComponent;
  return {
    status: () => get('/status'),
    devices: () => get('/devices'),
    device: (id) => get(`/devices/${at(id)}`),
    models: () => get('/models'),
    model: (version) => get(`/models/${at(version)}`),
    rollouts: () => get('/rollouts'),
    rollout: (id) => get(`/rollouts/${at(id)}`),
    approveRollout: (id) => post(`/rollouts/${at(id)}/approve`),
    stopRollout: (id, { reason } = {}) =>
      post(`/rollouts/${at(id)}/stop`, reason === undefined ? {} : { reason }),
    ports: () => get('/ports'),
    addPort: (port) => post('/ports', port),
    removePort: (port) => post('/ports/remove', port),
    keys: () => get('/keys'),
    addKeys: (request) => post('/keys', request),
    rotateKeys: (device) => post(`/keys/${at(device)}/rotate`),
    removeKeys: (device) => post(`/keys/${at(device)}/remove`),
    labels: (query) => get('/labels', query),
    addLabel: (label) => post('/labels', label),
    release: (sample) => post('/labels/release', { sample }),
    withdrawLabel: (request) => post('/labels/withdraw', request),
    importLabels: (request) => post('/labels/import', request),
    labelSources: () => get('/labels/sources'),
    askLabels: (request) => post('/labels/ask', request),
    teach: (request) => post('/labels/teach', request),
    history: (query) => get('/history', query),
    windows: (device, query) => get(`/devices/${at(device)}/windows`, query),
    window: (device, id) => get(`/devices/${at(device)}/windows/${at(id)}`),
    infer: (request) => post('/infer', request),
    onWindow: () => {
      throw new TypeError(
        'windows as they come are for the process of the gateway; elsewhere: /api/live',
      );
    },
    alarms: () => get('/alarms'),
    silence: (request) => post('/alarms/silence', request),
    unsilence: (request) => post('/alarms/unsilence', request),
    quality: (scope) => get('/quality', { scope }),
    events: (query) => get('/events', query),
    train: (request) => post('/train', request),
    promote: (version) => post(`/models/${at(version)}/promote`),
    rollback: (version) => post('/rollback', version === undefined ? {} : { version }),
    signingKeys: () => get('/signing'),
    rotateSigning: () => post('/signing/rotate'),
    revokeSigning: (request) => post('/signing/revoke', request),
    signVersion: ({ version, reason }) => post(`/models/${at(version)}/sign`, { reason }),
    verify: (head) => get('/verify', { head }),
    audit: (query) => get('/audit', query),
    backup: () => post('/backup'),
    tokens: () => get('/tokens'),
    addToken: (request) => post('/tokens', request),
    revokeToken: (id) => post(`/tokens/${at(id)}/revoke`),
    exportModel: (version, format) => get(`/models/${at(version)}/export`, { format }),
    importModel: (request) => post('/models/import', request),
    on: (_name, listener) => {
      const abort = new AbortController();
      followEvents(base, undefined, listener, abort.signal).catch((error: Error) => {
        if (!abort.signal.aborted) process.emitWarning(error.message);
      });
      return () => abort.abort();
    },
  };
}

function search(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

/**
 * Reads the live events until the gateway or the reader ends it.
 *
 * @param gateway as in {@link remoteCalls}
 * @param since id of the last event that the reader has; without it, only what is new
 * @param listener gets each event, in order
 * @param signal ends it
 * @throws GatewayError 'not-running' if the gateway is not there, or goes away
 */
export async function followEvents(
  gateway: string | Remote,
  since: number | undefined,
  listener: (event: GatewayEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const remote = remoteOf(gateway);
  const socket = await openLive(remote, search({ topics: 'events', since }));
  const end = () => socket.close();
  signal.addEventListener('abort', end);
  let failed: Error | undefined;
  socket.on('error', (error) => {
    failed = error;
  });
  socket.on('message', (text) => {
    const message = JSON.parse(String(text)) as LiveMessage;
    if (message.type === 'event') listener(message.event);
  });
  if (signal.aborted) end();
  const code = await new Promise<number>((resolve) => socket.on('close', resolve));
  signal.removeEventListener('abort', end);
  if (signal.aborted) return;
  const why = code === GONE ? 'stopped' : 'went away';
  throw new GatewayError('not-running', `the gateway at ${remote.url} ${why}`, { cause: failed });
}

function remoteOf(gateway: string | Remote): Remote {
  const remote = typeof gateway === 'string' ? { url: gateway } : gateway;
  return { ...remote, url: remote.url.replace(/\/+$/, '') };
}

/** A socket that is about to open, for whom `/api/me` lets in. */
async function openLive(remote: Remote, query: string): Promise<WebSocket> {
  const { url, token, spareToken } = remote;
  const { via } = await ask<{ via: string }>(remote, '/me');
  const headers = shown(url, token ?? (via === 'token' ? spareToken : undefined));
  const options = { headers, ...tlsOf(remote) };
  try {
    return new WebSocket(`${url.replace(/^http/, 'ws')}/api/live${query}`, options);
  } catch (cause) {
    throw unreachable(url, cause as Error);
  }
}

/** A gateway that stops says so. */
const GONE = 1001;
