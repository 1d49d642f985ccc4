import type { Calls, GatewayEvent } from '../calls.ts';
import { type ErrorCode, GatewayError } from '../errors.ts';

/**
 * The calls of a gateway that runs in another process, over its HTTP API.
 *
 * @param url of the gateway, 'http://127.0.0.1:7380'
 * @returns the same calls; each throws what the gateway threw, or GatewayError 'not-running'
 */
export function remoteCalls(url: string): Calls {
  const base = url.replace(/\/+$/, '');
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

async function request(base: string, path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${base}/api${path}`, init);
  } catch (cause) {
    throw new GatewayError('not-running', `no gateway answers at ${base}`, {
      cause,
      hint: 'start one: npm start; or name another: --url URL',
    });
  }
  if (response.ok) return response;
  const body = (await response.json().catch(() => ({}))) as {
    error?: { code: ErrorCode; message: string; hint?: string };
  };
  if (body.error === undefined) {
    throw new GatewayError('not-running', `what answers at ${base} is no gateway`, {
      hint: 'name the gateway: --url URL',
    });
  }
  const { code, message, hint } = body.error;
  throw new GatewayError(code, message, { hint });
}

async function ask<T>(base: string, path: string, body?: object): Promise<T> {
  const init = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  return (await (await request(base, path, init ?? {})).json()) as T;
}

/**
 * Reads the live events until the gateway or the reader ends it.
 *
 * @param url of the gateway
 * @param since id of the last event that the reader has; without it, only what is new
 * @param listener gets each event, in order
 * @param signal ends it
 * @throws GatewayError 'not-running' if the gateway is not there, or goes away
 */
export async function followEvents(
  url: string,
  since: number | undefined,
  listener: (event: GatewayEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const base = url.replace(/\/+$/, '');
  const newest = since ?? (await ask<{ lastEvent: number }>(base, '/status')).lastEvent;
  const response = await request(base, `/events?since=${newest}`, {
    headers: { accept: 'text/event-stream' },
    signal,
  });
  let text = '';
  try {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = block.split('\n').find((line) => line.startsWith('data: '));
        if (data !== undefined) listener(JSON.parse(data.slice(6)));
      }
    }
  } catch (cause) {
    if (signal.aborted) return;
    throw new GatewayError('not-running', `the gateway at ${base} went away`, { cause });
  }
  if (!signal.aborted) throw new GatewayError('not-running', `the gateway at ${base} stopped`);
}
