import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import { WRONG_TOKENS } from '../../../gateway/api/throttle.ts';
import { fakeAccess, tokenOf } from './door.ts';
import { fakeCalls } from './fake-calls.ts';

const open: Api[] = [];
let local: Api;
let strict: Api;

async function serve(options: object): Promise<Api> {
  const api = await serveApi(fakeCalls(), { port: 0, access: fakeAccess(), ...options });
  open.push(api);
  return api;
}

beforeAll(async () => {
  local = await serve({ names: ['box.local', 'whetstone.example:443'] });
  strict = await serve({ requireToken: true });
});

afterAll(() => Promise.all(open.map((api) => api.close())));

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  json: Record<string, unknown>;
}

/** A request with exactly these headers. */
function ask(api: Api, path: string, headers: object = {}, method = 'GET', body?: object) {
  const { host } = new URL(api.url);
  return new Promise<Answer>((resolve, reject) => {
    const sent = httpRequest(
      api.url + path,
      {
        method,
        headers: { host, ...(body && { 'content-type': 'application/json' }), ...headers },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            json: text === '' ? {} : JSON.parse(text),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('addCallers()', () => {
  it('takes who is on this machine for an admin, and who shows a token for what it says', async () => {
    expect((await ask(local, '/api/me')).json).toEqual({
      ...{ name: '', role: 'admin', via: 'loopback' },
    });
    expect((await ask(local, '/api/me', bearer(tokenOf('labeller')))).json).toEqual({
      ...{ name: 'the labeller', role: 'labeller', via: 'token' },
    });
    expect((await ask(local, '/api/me', bearer('none'))).status).toBe(401);
    expect((await ask(local, '/api/me', { authorization: 'Basic YTpi' })).status).toBe(401);
  });

  it('does not take a proxy on this machine for whoever is here', async () => {
    const headers = ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'x-forwarded-proto'];
    for (const header of [...headers, 'x-original-host', 'true-client-ip', 'cf-connecting-ip']) {
      expect((await ask(local, '/api/me', { [header]: '203.0.113.9' })).status).toBe(401);
    }
    const { port } = new URL(local.url);
    for (const host of [`box.local:${port}`, 'whetstone.example', 'whetstone.example:443']) {
      expect((await ask(local, '/api/me', { host })).status).toBe(401);
      const shown = { host, ...bearer(tokenOf('viewer')) };
      expect((await ask(local, '/api/me', shown)).status).toBe(200);
    }
    expect((await ask(local, '/api/me', { host: 'box.local:1' })).status).toBe(421);
  });

  it('says what is wrong with a token, and what mends it', async () => {
    const { status, json } = await ask(strict, '/api/me', bearer('expired'));
    expect([status, json]).toMatchObject([401, { error: { code: 'not-signed-in' } }]);
    expect(JSON.stringify(json)).toContain('expired');
    const small = await ask(strict, '/api/tokens', bearer(tokenOf('operator')));
    expect([small.status, small.json]).toMatchObject([403, { error: { code: 'too-small-role' } }]);
  });

  it('lets an address that tries many wrong tokens wait, and one whose token is over not', async () => {
    const access = fakeAccess();
    const api = await serve({ requireToken: true, access });
    for (let i = 0; i < WRONG_TOKENS + 5; i++) {
      expect((await ask(api, '/api/me', bearer('revoked'))).status).toBe(401);
    }
    for (let i = 0; i < WRONG_TOKENS; i++) {
      expect((await ask(api, '/api/me', bearer(`guess-${i}`))).status).toBe(401);
    }
    expect((await ask(api, '/api/me', bearer('guess'))).status).toBe(429);
    const guessed = await ask(api, '/api/session', {}, 'POST', { token: 'guess' });
    expect(guessed.status).toBe(429);
    const told = Array.from(['revoked', 'unknown', 'throttled'], (why) =>
      access.refusals.filter((refusal) => refusal === `127.0.0.1 ${why}`),
    );
    expect(told.map((one) => one.length)).toEqual([WRONG_TOKENS + 5, WRONG_TOKENS, 2]);
    // behind a proxy all have one address: who guesses keeps nobody out
    expect((await ask(api, '/api/me', bearer(tokenOf('viewer')))).status).toBe(200);
    const signIn = await ask(api, '/api/session', {}, 'POST', { token: tokenOf('admin') });
    expect(signIn.status).toBe(200);
  });
});

describe('addSession()', () => {
  it('changes a token for a cookie that no script reads and no other site sends', async () => {
    const token = tokenOf('operator');
    const signIn = await ask(strict, '/api/session', {}, 'POST', { token });
    expect(signIn.json).toEqual({ name: 'the operator', role: 'operator', via: 'session' });
    const [set] = signIn.headers['set-cookie'] as string[];
    expect(set).toMatch(/^whetstone=/);
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Expires=']) {
      expect(set).toContain(part);
    }
    const headers = { cookie: set!.split(';')[0] };
    expect((await ask(strict, '/api/me', headers)).json).toMatchObject({ via: 'session' });
    const forged = { ...headers, origin: 'https://evil.example' };
    expect((await ask(strict, '/api/session', forged, 'DELETE')).status).toBe(403);
    expect((await ask(strict, '/api/rollback', forged, 'POST', {})).status).toBe(403);
    const ended = await ask(strict, '/api/session', headers, 'DELETE');
    expect(ended.json).toEqual({ ended: true });
    expect((await ask(strict, '/api/me', headers)).status).toBe(401);
  });

  it('takes no token that is none', async () => {
    expect((await ask(strict, '/api/session', {}, 'POST', { token: 'x' })).status).toBe(401);
    expect((await ask(strict, '/api/session', {}, 'POST', {})).status).toBe(400);
  });
});

describe('addGuard()', () => {
  it('sends with every answer what browsers hold the page to', async () => {
    for (const path of ['/', '/api/me', '/api/nothing', '/healthz']) {
      const response = await fetch(local.url + path);
      expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(response.headers.get('x-frame-options')).toBe('DENY');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('strict-transport-security')).toBeNull();
    }
  });
});

describe('answerUnreadable()', () => {
  it('says what is wrong with an address as every failure is said, and takes long names', async () => {
    const { status, headers, json } = await ask(local, '/api/devices/%E0%A4%A');
    expect([status, json]).toMatchObject([400, { error: { code: 'bad-request' } }]);
    expect(headers['x-content-type-options']).toBe('nosniff');
    const tooLong = await ask(local, `/api/devices/${'a'.repeat(2000)}`);
    expect([tooLong.status, tooLong.json]).toMatchObject([414, { error: { code: 'bad-request' } }]);
    const name = encodeURIComponent('ウ'.repeat(200));
    const unknown = await ask(local, `/api/devices/${name}`);
    expect([unknown.status, unknown.json]).toMatchObject([404, { error: { code: 'not-found' } }]);
  });
});

describe('addHealth()', () => {
  it('answers without a token, 503 where the gateway cannot do its work', async () => {
    expect(await ask(strict, '/healthz')).toMatchObject({ status: 200, json: { ok: true } });
    expect((await ask(strict, '/readyz')).status).toBe(200);
    const readiness = { ready: false, problems: ['the disk takes nothing'] };
    const full = await serve({ requireToken: true, ready: () => readiness });
    expect(await ask(full, '/readyz')).toMatchObject({ status: 503, json: readiness });
    expect((await ask(full, '/healthz')).status).toBe(200);
  });
});
