import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { sendLive } from '../../../gateway/api/live.ts';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import type { LiveMessage } from '../../../gateway/views/live.ts';
import { fakeAccess, tokenOf } from './door.ts';
import { type FakeCalls, fakeCalls } from './fake-calls.ts';
import { fakeWindow } from './fake-views.ts';

const apis: Api[] = [];
const sockets: WebSocket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  for (const api of apis.splice(0)) await api.close();
});

async function serve(options: object = {}): Promise<{ calls: FakeCalls; url: string; api: Api }> {
  const calls = fakeCalls();
  const api = await serveApi(calls, { port: 0, access: fakeAccess(), ...options });
  apis.push(api);
  return { calls, api, url: `${api.url.replace('http', 'ws')}/api/live` };
}

/** A reader, and what it got. */
function read(url: string, headers: object = {}) {
  const socket = new WebSocket(url, { headers: headers as Record<string, string> });
  sockets.push(socket);
  socket.on('error', () => {}); // one that was refused is ended before it opened
  const got: LiveMessage[] = [];
  socket.on('message', (text) => got.push(JSON.parse(String(text))));
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  const refused = new Promise<number>((resolve) => {
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
  });
  return { socket, got, closed, refused };
}

const idsOf = (got: LiveMessage[]) =>
  got.flatMap((message) => (message.type === 'event' ? [message.event.id] : []));

describe('/api/live', () => {
  it('says hello, then every event after `since`, none twice, and those that come', async () => {
    const { calls, url } = await serve();
    for (let i = 0; i < 1200; i++) calls.tell('label.added', `w${i}`);
    const { got } = read(`${url}?since=3`);
    await vi.waitUntil(() => got.length > 0, 10_000);
    for (let i = 0; i < 50; i++) calls.tell('label.added', `late${i}`);
    await vi.waitUntil(() => idsOf(got).length >= 1247, 10_000);
    expect(got[0]).toMatchObject({ type: 'hello', lastEvent: 1200, role: 'admin' });
    expect(idsOf(got)).toEqual(calls.log.slice(3).map(({ id }) => id));
  });

  it('tells a reader that knows the events of another store of those that come', async () => {
    const { calls, url } = await serve();
    for (let i = 0; i < 3; i++) calls.tell('label.added', `w${i}`);
    const { got } = read(`${url}?since=900`);
    await vi.waitUntil(() => got.length > 0, 10_000);
    calls.tell('label.added', 'new');
    await vi.waitUntil(() => got.length === 2, 10_000);
    expect(idsOf(got)).toEqual([4]);
  });

  it('begins with what is new, and tells of windows who asked for them', async () => {
    const { calls, url } = await serve();
    calls.tell('label.added', 'old');
    const both = read(`${url}?topics=windows,events`);
    const events = read(url);
    await vi.waitUntil(() => both.got.length === 1 && events.got.length === 1, 10_000);
    calls.tell('label.added', 'new');
    const window = fakeWindow('watch-1');
    calls.see(window);
    await vi.waitUntil(() => both.got.length === 3 && events.got.length === 2, 10_000);
    expect(idsOf(both.got)).toEqual([2]);
    expect(both.got.at(-1)).toEqual({ type: 'window', window });
    both.socket.close();
    events.socket.close();
    await vi.waitUntil(() => calls.listeners() === 0, 10_000);
  });

  it('leaves windows out for a slow reader, and says how many', async () => {
    const { calls, url } = await serve();
    const { socket, got } = read(`${url}?topics=windows`);
    await vi.waitUntil(() => calls.listeners() === 1 && got.length === 1, 10_000);
    socket.pause();
    const window = fakeWindow('watch-1', { version: 'x'.repeat(4000) });
    let seen = 0;
    // what the system's buffers take is sent all the same
    for (; seen < 5000; seen++) {
      calls.see(window);
      if (seen % 200 === 0) await new Promise((done) => setTimeout(done, 1));
    }
    socket.resume();
    const told = () =>
      got.reduce(
        (sum, message) =>
          sum + (message.type === 'window' ? 1 : message.type === 'skipped' ? message.windows : 0),
        0,
      );
    let last = 0;
    await vi.waitUntil(() => {
      const before = told();
      if (before > last) last = before;
      else if (before < seen) {
        calls.see(window);
        seen++;
      }
      return got.some(({ type }) => type === 'skipped') && told() === seen;
    }, 10_000);
    expect(got.length).toBeLessThan(seen);
  });

  it('cuts off who is too slow for the events, with a code that says: come again', async () => {
    const { calls, url } = await serve();
    const { socket, got, closed } = read(`${url}?since=0`);
    await vi.waitUntil(() => got.length === 1, 10_000);
    socket.pause();
    for (let i = 0; i < 4000; i++) {
      calls.tell('label.added', 'w', { text: 'x'.repeat(4000) });
      if (i % 200 === 0) await new Promise((done) => setTimeout(done, 1));
    }
    socket.resume();
    expect(await closed).toBe(1013);
    await vi.waitUntil(() => calls.listeners() === 0, 10_000);
    const ids = idsOf(got);
    expect(ids).toEqual(ids.map((_, i) => i + 1));
  });

  it('lets nobody in whom the API would not answer', async () => {
    const { url } = await serve({ requireToken: true });
    expect(await read(url).refused).toBe(401);
    expect(await read(url, { authorization: 'Bearer none' }).refused).toBe(401);
    expect(await read(`${url}?topics=keys`, { cookie: '' }).refused).toBe(401);
    const authorization = `Bearer ${tokenOf('viewer')}`;
    expect(await read(`${url}?topics=keys`, { authorization }).refused).toBe(400);
    expect(await read(url, { authorization, origin: 'https://evil.example' }).refused).toBe(403);
    for (const headers of [
      { authorization },
      { cookie: `whetstone=cookie-${tokenOf('viewer')}` },
    ]) {
      const { got } = read(url, headers);
      await vi.waitUntil(() => got.length === 1, 10_000);
      expect(got[0]).toMatchObject({ type: 'hello', role: 'viewer' });
    }
  });

  it('is kept from pages of others on this machine as well', async () => {
    const { url } = await serve();
    expect(await read(url, { origin: 'http://evil.example' }).refused).toBe(403);
    expect(await read(url, { host: 'evil.example' }).refused).toBe(421);
  });

  it('says goodbye when the gateway stops, also to who does not answer', async () => {
    const { api, url } = await serve();
    const polite = read(url);
    const deaf = read(url);
    await vi.waitUntil(() => polite.got.length === 1 && deaf.got.length === 1, 10_000);
    deaf.socket.pause();
    await api.close();
    expect(await polite.closed).toBe(1001);
  });

  it('answers who comes without a WebSocket', async () => {
    const { api } = await serve();
    expect((await fetch(`${api.url}/api/live`)).status).toBe(426);
  });
});

describe('sendLive()', () => {
  async function pinged(mayStill: () => boolean, pingMs: number) {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const calls = fakeCalls();
    server.on('connection', (socket) =>
      sendLive(calls, socket, { topics: ['events'], role: 'viewer', mayStill, pingMs }),
    );
    const reader = read(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await vi.waitUntil(() => reader.got.length === 1, 10_000);
    return { ...reader, calls, server };
  }

  it('ends who signed out, and who answers no ping', async () => {
    let may = true;
    const { closed, server, calls, socket } = await pinged(() => may, 250); // on a busy machine a pong takes a while
    await once(socket, 'ping');
    may = false;
    expect(await closed).toBe(1008);
    server.close();

    const deaf = await pinged(() => true, 20);
    deaf.socket.pause();
    await vi.waitUntil(() => deaf.calls.listeners() === 0, 10_000);
    deaf.server.close();
    expect(calls.listeners()).toBe(0);
  });
});
