import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createAccess } from '../../../gateway/access.ts';
import { checkGateway, checkTls, checkTokens } from '../../../gateway/cli/check-door.ts';
import type { Check } from '../../../gateway/cli/checks.ts';
import { startGateway } from '../../../gateway/main.ts';
import { writeRunFile } from '../../../gateway/run-file.ts';
import { openStore } from '../../../gateway/store/store.ts';
import { hasOpenssl, makeCertificate, skippedOpenssl } from '../../support/certificates.ts';
import { temporary } from '../../support/loop-world.ts';

const DAY_MS = 24 * 3600 * 1000;

function broken([check]: Check[]): Check {
  expect(check).toMatchObject({ ok: false });
  expect(check!.means).not.toBe('');
  expect(check!.mend).not.toBe('');
  return check!;
}

const mended = (checks: Check[]): void => {
  expect(checks).toMatchObject([{ ok: true }]);
};

describe('checkTls()', () => {
  it('needs none on this machine, and one off it', () => {
    mended(checkTls({}, Date.now()));
    expect(broken(checkTls({ host: '0.0.0.0' }, Date.now())).needed).toBe(true);
  });

  it.runIf(hasOpenssl)(`sees what ends, has ended, and is no pair${skippedOpenssl}`, () => {
    const now = Date.now();
    const tls = makeCertificate('DNS:box.local', 365);
    const options = { host: '0.0.0.0', tls };
    mended(checkTls(options, now));
    expect(broken(checkTls(options, now + 340 * DAY_MS)).found).toContain('DNS:box.local, until');
    expect(broken(checkTls(options, now + 366 * DAY_MS))).toMatchObject({ needed: true });
    expect(broken(checkTls(options, now - DAY_MS)).mend).toBe('see: clock');
    const other = { ...tls, key: makeCertificate('DNS:other').key };
    expect(broken(checkTls({ tls: other }, now)).found).toContain('is not the key of');
    // one that was named on the command line alone
    const shown = readFileSync(tls.cert, 'utf8');
    expect(broken(checkTls({}, now + 366 * DAY_MS, shown)).found).toContain('DNS:box.local');
    mended(checkTls({}, now, shown));
    chmodSync(tls.key, 0o644);
    const { mend } = broken(checkTls(options, now));
    expect(mend).toBe(`chmod 600 ${tls.key}`);
    chmodSync(tls.key, 0o600);
    mended(checkTls(options, now));
  });
});

describe('checkTokens()', () => {
  it('sees that no admin is left, what ends soon, and a file that others may read', async () => {
    const directory = join(temporary(), 'data');
    const now = Date.now();
    mended(checkTokens(directory, { now }));
    const store = openStore({ directory });
    const clock = { now: () => now } as never;
    const { calls } = createAccess({ store, clock });
    expect(broken(checkTokens(directory, { now })).found).toBe('no admin token counts');
    await calls.addToken({ name: 'admin', role: 'admin' });
    const ann = await calls.addToken({ name: 'ann', role: 'viewer', days: 60 });
    mended(checkTokens(directory, { now }));
    const soon = broken(checkTokens(directory, { now: now + 40 * DAY_MS }));
    expect(soon.found).toContain('ending: ann on ');
    expect(soon.mend).toContain('whetstone tokens add ann --role viewer');
    await calls.revokeToken(ann.id);
    mended(checkTokens(directory, { now: now + 40 * DAY_MS }));
    const file = join(directory, 'admin.token');
    writeFileSync(file, 'wt_x', { mode: 0o644 });
    expect(broken(checkTokens(directory, { now })).mend).toBe(`chmod 600 ${file}`);
    chmodSync(file, 0o600);
    mended(checkTokens(directory, { now }));
    store.close();
  });
});

describe('checkGateway()', () => {
  it('finds the one that runs, and says that it went without a word', async () => {
    const dataDir = join(temporary(), 'data');
    const gateway = await startGateway({ virtual: 0, port: 0, dataDir, requireToken: true });
    const [ready] = await checkGateway(dataDir, {});
    expect(ready).toMatchObject({ ok: true, found: `ready at ${gateway.url}` });
    const waiting = {
      serial: [join(dataDir, 'no-port')],
      port: 0,
      dataDir: join(temporary(), 'd'),
    };
    const second = await startGateway({ ...waiting, virtual: 0 });
    // a port is looked for once the gateway serves: what is not there may be known a moment later
    await expect
      .poll(async () => (await checkGateway(waiting.dataDir, {})).map(({ found }) => found).join())
      .toContain('is not open');
    broken(await checkGateway(waiting.dataDir, {}));
    await second.close();
    await gateway.close();
    mended(await checkGateway(dataDir, { port: 0 }));
    // killed: what it wrote is still there; on its own port another test's gateway may run by now
    writeRunFile(dataDir, { url: 'http://127.0.0.1:1', pid: 1, cert: null });
    expect(broken(await checkGateway(dataDir, {})).means).toBe('it was killed, or it hangs');
  });

  it('sees that another program has the port', async () => {
    const directory = temporary();
    mkdirSync(join(directory, 'data'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const taken = broken(await checkGateway(directory, { port }));
    expect(taken).toMatchObject({ needed: true });
    expect(taken.mend).toContain(`ss -ltnp 'sport = :${port}'`);
    await new Promise((resolve) => server.close(resolve));
    mended(await checkGateway(directory, { port }));
    expect(broken(await checkGateway(directory, { host: '192.0.2.1', port })).mend).toContain(
      '--host',
    );
  });
});
