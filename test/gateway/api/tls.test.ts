import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { followEvents, remoteCalls } from '../../../gateway/api/client.ts';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import { readTls, type TlsFiles, tlsCredentials } from '../../../gateway/api/tls.ts';
import { hasOpenssl, makeCertificate, skippedOpenssl } from '../../support/certificates.ts';
import { temporary } from '../../support/loop-world.ts';
import { fakeAccess, tokenOf } from './door.ts';
import { type FakeCalls, fakeCalls } from './fake-calls.ts';

const token = hasOpenssl ? tokenOf('admin') : '';

describe.runIf(hasOpenssl)(`readTls()${skippedOpenssl}`, () => {
  const write = (text: string): string => {
    const path = join(temporary(), 'file.pem');
    writeFileSync(path, text);
    return path;
  };

  it('reads a certificate with its key', () => {
    expect(readTls(makeCertificate('DNS:box.local')).certificate.subjectAltName).toBe(
      'DNS:box.local',
    );
  });

  it.each<[string, (good: TlsFiles) => TlsFiles, RegExp]>([
    [
      'no certificate there',
      (good) => ({ ...good, cert: '/nowhere/c.pem' }),
      /^cannot read the certificate \/nowhere\/c.pem: there is no such file$/,
    ],
    [
      'no key there',
      (good) => ({ ...good, key: '/nowhere/k.pem' }),
      /^cannot read the key \/nowhere\/k.pem: there is no such file$/,
    ],
    ['text for a certificate', (good) => ({ ...good, cert: write('x') }), /holds no certificate/],
    ['a certificate for a key', (good) => ({ ...good, key: good.cert }), /holds no key/],
    [
      'the key of another',
      (good) => ({ ...good, key: makeCertificate('DNS:a').key }),
      /is not the key/,
    ],
  ])('says in one line, and with a hint: %s', (_, change, message) => {
    let thrown: unknown;
    try {
      readTls(change(makeCertificate('DNS:box.local')));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: 'GatewayError', code: 'bad-tls' });
    expect((thrown as Error).message).toMatch(message);
    expect((thrown as { hint?: string }).hint).toBeTruthy();
  });
});

describe.runIf(hasOpenssl)(`readTls()${skippedOpenssl}`, () => {
  it('refuses a key that TLS does not take', () => {
    const weak = makeCertificate('DNS:x', 2, ['rsa:512']);
    expect(() => readTls(weak)).toThrow(
      expect.objectContaining({
        code: 'bad-tls',
        message: expect.stringContaining('none that TLS takes'),
      }),
    );
  });
});

describe('tlsCredentials()', () => {
  it('names what systemd handed over, and nothing where it did not', () => {
    const folder = temporary();
    expect(tlsCredentials({})).toBeUndefined();
    expect(tlsCredentials({ CREDENTIALS_DIRECTORY: folder })).toBeUndefined();
    writeFileSync(join(folder, 'whetstone-tls-cert'), 'x');
    expect(tlsCredentials({ CREDENTIALS_DIRECTORY: folder })).toEqual({
      cert: join(folder, 'whetstone-tls-cert'),
      key: join(folder, 'whetstone-tls-key'),
    });
  });
});

describe.runIf(hasOpenssl)(`serveApi() with TLS${skippedOpenssl}`, () => {
  let files: TlsFiles;
  let calls: FakeCalls;
  let api: Api;
  let at: string;
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((found) => found?.family === 'IPv4' && !found.internal)?.address;

  beforeAll(async () => {
    files = makeCertificate(`DNS:localhost,IP:127.0.0.1${outside ? `,IP:${outside}` : ''}`);
    calls = fakeCalls();
    const options = { host: '0.0.0.0', port: 0, tls: files, access: fakeAccess() };
    api = await serveApi(calls, options);
    at = `https://${outside ?? '127.0.0.1'}:${new URL(api.url).port}`;
  });
  afterAll(() => api.close());

  it('serves other machines, who show a token', async (ctx) => {
    if (outside === undefined) ctx.skip('skipped: this machine has no address but the loopback');
    const remote = { url: at, ca: api.cert! };
    await expect(remoteCalls(remote).devices()).rejects.toMatchObject({ code: 'not-signed-in' });
    expect(await remoteCalls({ ...remote, token }).devices()).toEqual(calls.state.devices);
    const small = remoteCalls({ ...remote, token: tokenOf('viewer') });
    await expect(small.tokens()).rejects.toMatchObject({ code: 'too-small-role' });
  });

  it('shows a spare token to who asks for one, for events too', async (ctx) => {
    if (outside === undefined) ctx.skip('skipped: this machine has no address but the loopback');
    const remote = { url: at, ca: api.cert!, spareToken: token };
    expect(await remoteCalls(remote).devices()).toEqual(calls.state.devices);
    const abort = new AbortController();
    calls.tell('label.added', 'w');
    const done = followEvents(remote, 0, () => abort.abort(), abort.signal);
    await done;
    expect(abort.signal.aborted).toBe(true);
  });

  it('is trusted by whom its certificate says, or who has it already', async () => {
    const url = `https://127.0.0.1:${new URL(api.url).port}`;
    await expect(remoteCalls({ url }).devices()).rejects.toMatchObject({ code: 'bad-tls' });
    expect(await remoteCalls({ url, pinned: api.cert! }).devices()).toHaveLength(4);
    // pinned: its name does not count; another certificate of that name does not pass
    const named = makeCertificate('DNS:elsewhere.example');
    const other = await serveApi(calls, { port: 0, tls: named, access: fakeAccess() });
    expect(await remoteCalls({ url: other.url, pinned: other.cert! }).devices()).toHaveLength(4);
    for (const trust of [{ pinned: api.cert! }, { ca: other.cert! }]) {
      const asked = remoteCalls({ url: other.url, ...trust }).devices();
      await expect(asked).rejects.toMatchObject({ code: 'bad-tls' });
    }
    await other.close();
  });

  it('sets a cookie that only TLS carries, and tells browsers to stay with it', async () => {
    const { request } = await import('node:https');
    const url = `${api.url}/api/session`;
    const body = JSON.stringify({ token });
    const headers = await new Promise<NodeJS.Dict<string | string[]>>((resolve, reject) => {
      const options = {
        method: 'POST',
        ca: api.cert!,
        headers: { 'content-type': 'application/json' },
      };
      const sent = request(url, options, (response) => {
        response.resume();
        resolve(response.headers);
      });
      sent.on('error', reject);
      sent.end(body);
    });
    expect(headers['set-cookie']?.[0]).toMatch(/^__Host-whetstone=.*Secure/);
    expect(headers['strict-transport-security']).toContain('max-age=');
  });

  it('does not serve off this machine without TLS, and says how', async () => {
    const bare = serveApi(calls, { host: '0.0.0.0', port: 0, access: fakeAccess() });
    await expect(bare).rejects.toMatchObject({ code: 'not-allowed' });
    const hint = await bare.catch((error) => error.hint);
    expect(hint).toContain('--tls-cert');
    expect(hint).toContain('ssh -L');
  });
});

describe('remoteCalls()', () => {
  it('sends no token in clear to another machine', async () => {
    const asked = remoteCalls({ url: 'http://192.0.2.1:7380', token: 'wt_x' }).devices();
    await expect(asked).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('says that http was meant, or https', async () => {
    const api = await serveApi(fakeCalls(), { port: 0 });
    const url = api.url.replace('http', 'https');
    const asked = remoteCalls({ url }).devices();
    await expect(asked).rejects.toMatchObject({ code: 'not-running' });
    expect(await asked.catch((error) => error.hint)).toContain('is it http?');
    await api.close();
  });
});
