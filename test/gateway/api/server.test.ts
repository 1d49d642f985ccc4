import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { followEvents, remoteCalls } from '../../../gateway/api/client.ts';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import type { GatewayEvent } from '../../../gateway/calls.ts';
import { GatewayError } from '../../../gateway/errors.ts';
import { type FakeCalls, fakeCalls } from './fake-calls.ts';

const open: Api[] = [];

async function serve(): Promise<{ calls: FakeCalls; url: string }> {
  const calls = fakeCalls();
  const api = await serveApi(calls, { port: 0 });
  open.push(api);
  return { calls, url: api.url };
}

afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

/** A request with exactly these headers, as no browser or fetch would let one send it. */
function raw(url: string, method: string, headers: Record<string, string>, body = '') {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const request = httpRequest(url, { method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function failure(promise: Promise<unknown>): Promise<GatewayError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(GatewayError);
  return error as GatewayError;
}

describe('serveApi()', () => {
  it('answers every call with what the calls gave', async () => {
    const { calls, url } = await serve();
    calls.tell('gateway.started', 'gateway');
    const remote = remoteCalls(url);
    const [{ version }] = await calls.models();
    expect(await remote.status()).toEqual(await calls.status());
    expect(await remote.devices()).toEqual(calls.state.devices);
    expect(await remote.device('watch-2')).toEqual(calls.state.devices[1]);
    expect(await remote.models()).toEqual(await calls.models());
    expect((await remote.model('3f2a9c')).version).toBe(version);
    expect(await remote.rollouts()).toEqual([]);
    expect(await remote.events({ limit: 5 })).toEqual(calls.log);
    await remote.labels({ device: 'watch-1', limit: 7 });
    const label = { sample: 'watch-1/77:5', cls: 'upup', source: 'person' };
    expect((await remote.addLabel(label)).device).toBe('watch-1');
    await remote.labels({ quarantined: true });
    expect((await remote.release('watch-1/77:5')).quarantine).toBe(null);
    expect((await remote.train({ scope: 'device:watch-1' })).released).toBe(true);
    expect((await remote.promote(version)).id).toBe('r1');
    expect((await remote.rollback()).stage).toBe('rolledback');
    expect(calls.asked).toEqual([
      ['labels', { device: 'watch-1', limit: 7 }],
      ['addLabel', label],
      ['labels', { quarantined: true }],
      ['release', 'watch-1/77:5'],
      ['train', 'device:watch-1'],
      ['promote', version],
      ['rollback', undefined],
    ]);
  });

  it('carries labels in bulk, taken back, asked for and taught', async () => {
    const { calls, url } = await serve();
    const remote = remoteCalls(url);
    const rows = [{ line: 2, device: 'w1', time: '2026-01-01T10:00:00Z', cls: 'upup' }];
    const imported = { rows, source: 'lab', withinMs: 0, dryRun: true };
    expect(await remote.importLabels(imported)).toMatchObject({ known: 1 });
    const withdrawn = { sample: 'w1/7:1', source: 'person:ann' };
    expect((await remote.withdrawLabel(withdrawn)).sample).toBe('w1/7:1');
    expect(await remote.labelSources()).toEqual(await calls.labelSources());
    const wanted = { count: 5, scope: 'cohort:left' };
    expect((await remote.askLabels(wanted)).outOfReach).toBe(5);
    const taught = { file: 'YQ==', name: 'big.net', minConfidence: 0.5, classes: ['a'] };
    expect((await remote.teach(taught)).right).toBe(5);
    await remote.labels({ contradicted: true });
    await remote.labels({ asked: true });
    expect(calls.asked).toEqual([
      ['importLabels', imported],
      ['withdrawLabel', withdrawn],
      ['askLabels', wanted],
      ['teach', taught],
      ['labels', { contradicted: true }],
      ['labels', { asked: true }],
    ]);
  });

  it('passes a GatewayError on, with its hint', async () => {
    const { url } = await serve();
    const error = await failure(remoteCalls(url).device('nobody'));
    expect(error.code).toBe('not-found');
    expect(error.line()).toBe('no device nobody (see: whetstone devices)');
  });

  it('refuses what its schemas do not allow', async () => {
    const { calls, url } = await serve();
    const json = { 'content-type': 'application/json' };
    const post = (path: string, body: object) =>
      fetch(url + path, { method: 'POST', headers: json, body: JSON.stringify(body) });
    expect((await post('/api/train', { scope: 'everybody' })).status).toBe(400);
    expect((await post('/api/train', {})).status).toBe(400);
    expect((await post('/api/train', { scope: 'fleet', now: true })).status).toBe(400);
    expect((await post('/api/labels', { sample: 'watch-1', cls: 'upup' })).status).toBe(400);
    expect((await post('/api/labels/ask', { count: 0 })).status).toBe(400);
    expect((await post('/api/labels/ask', { count: 1, scope: 'all' })).status).toBe(400);
    expect((await post('/api/labels/teach', { file: 'YQ==', name: 'a b' })).status).toBe(400);
    const row = { line: 1, device: 'w1', cls: 'upup', trust: 2 };
    expect((await post('/api/labels/import', { rows: [row] })).status).toBe(400);
    expect((await post('/api/models/xyz/promote', {})).status).toBe(400);
    expect((await fetch(`${url}/api/events?limit=0`)).status).toBe(400);
    expect((await fetch(`${url}/api/nothing`)).status).toBe(404);
    expect(calls.asked).toEqual([]);
  });

  it('refuses requests for another host name', async () => {
    const { url } = await serve();
    const { port } = new URL(url);
    const status = async (host: string) => (await raw(`${url}/api/status`, 'GET', { host })).status;
    expect(await status(`127.0.0.1:${port}`)).toBe(200);
    expect(await status(`localhost:${port}`)).toBe(200);
    expect(await status(`evil.example:${port}`)).toBe(421);
    expect(await status('127.0.0.1')).toBe(421);
  });

  it('refuses changes that a foreign page could send', async () => {
    const { calls, url } = await serve();
    const host = new URL(url).host;
    const body = '{"scope":"fleet"}';
    const status = async (headers: Record<string, string>) =>
      (await raw(`${url}/api/train`, 'POST', { host, ...headers }, body)).status;
    expect(await status({})).toBe(415);
    expect(await status({ 'content-type': 'text/plain' })).toBe(415);
    expect(await status({ 'content-type': 'application/x-www-form-urlencoded' })).toBe(415);
    const json = { 'content-type': 'application/json' };
    expect(await status({ ...json, origin: 'http://evil.example' })).toBe(403);
    expect(calls.asked).toEqual([]);
    expect(await status({ ...json, origin: url })).toBe(200);
    expect(calls.asked).toEqual([['train', 'fleet']]);
  });

  it('takes no body for an empty one, from who sends JSON', async () => {
    const { calls, url } = await serve();
    const host = new URL(url).host;
    const status = async (headers: Record<string, string>, path = '/api/rollback') =>
      (await raw(url + path, 'POST', { host, ...headers })).status;
    const json = { 'content-type': 'application/json' };
    expect(await status({})).toBe(415);
    expect(await status({ 'content-length': '0' })).toBe(415);
    expect(await status({ ...json, origin: 'null' })).toBe(403);
    expect(await status(json, '/api/train')).toBe(400);
    expect(calls.asked).toEqual([]);
    expect(await status(json)).toBe(200);
    expect(await status({ ...json, 'content-length': '0' })).toBe(200);
    expect(calls.asked).toEqual([
      ['rollback', undefined],
      ['rollback', undefined],
    ]);
    expect(
      (await raw(`${url}/api/rollback`, 'POST', { host, ...json }, '{"__proto__":{}}')).status,
    ).toBe(400);
  });

  it('serves on this machine only', async () => {
    const error = await failure(serveApi(fakeCalls(), { host: '0.0.0.0', port: 0 }));
    expect(error.code).toBe('not-allowed');
    expect(error.line()).toContain('ssh -L');
  });

  it('says that the port is taken', async () => {
    const { url } = await serve();
    const error = await failure(serveApi(fakeCalls(), { port: Number(new URL(url).port) }));
    expect(error.code).toBe('in-use');
  });

  it('serves a page that needs nothing from elsewhere', async () => {
    const { url } = await serve();
    for (const path of ['/', '/app.js', '/words.js', '/pages/fleet.js', '/style/base.css']) {
      const response = await fetch(url + path);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
      expect((await response.text()).replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(
        /https?:\/\//,
      );
    }
    expect((await fetch(`${url}/words.ts`)).status).toBe(404);
  });
});

describe('followEvents()', () => {
  it('gives what was missed and what comes, each once and in order', async () => {
    const { calls, url } = await serve();
    for (let i = 0; i < 1200; i++) calls.tell('label.added', `watch-${i}`);
    const got: GatewayEvent[] = [];
    const abort = new AbortController();
    const done = followEvents(url, 3, (event) => got.push(event), abort.signal);
    await vi.waitUntil(() => got.length > 0, 5_000);
    for (let i = 0; i < 50; i++) calls.tell('label.added', `late-${i}`);
    await vi.waitUntil(() => got.length >= 1247, 5_000);
    expect(got).toEqual(calls.log.slice(3));
    abort.abort();
    await done;
    await vi.waitUntil(() => calls.listeners() === 0, 5_000);
  });

  it('starts with what is new when nothing is asked for', async () => {
    const { calls, url } = await serve();
    calls.tell('label.added', 'old');
    const got: string[] = [];
    const off = remoteCalls(url).on('event', ({ subject }) => got.push(subject));
    await vi.waitUntil(() => calls.listeners() === 1, 5_000);
    calls.tell('label.added', 'new');
    await vi.waitUntil(() => got.length === 1, 5_000);
    off();
    expect(got).toEqual(['new']);
  });

  it("throws GatewayError 'not-running' when the gateway stops", async () => {
    const { calls, url } = await serve();
    const error = failure(followEvents(url, 0, () => {}, new AbortController().signal));
    await vi.waitUntil(() => calls.listeners() === 1, 5_000);
    await open.splice(0)[0].close();
    expect((await error).code).toBe('not-running');
  });
});

describe('remoteCalls()', () => {
  it('says how to start a gateway where none answers', async () => {
    const { url } = await serve();
    await open.splice(0)[0].close();
    const error = await failure(remoteCalls(url).status());
    expect(error.code).toBe('not-running');
    expect(error.line()).toContain('npm start');
  });
});
