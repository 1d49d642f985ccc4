import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway, TokenView } from '../../../gateway/calls.ts';
import { remoteOf } from '../../../gateway/cli/remote.ts';
import { startGateway } from '../../../gateway/main.ts';
import { temporary } from '../../support/loop-world.ts';
import { whetstone } from './run.ts';

const dataDir = join(temporary(afterAll), 'data');
let gateway: Gateway;

const ask = (...args: string[]) => whetstone(...args, '--data-dir', dataDir);
const list = async (): Promise<TokenView[]> =>
  JSON.parse((await ask('tokens', '--json')).out).tokens;

beforeAll(async () => {
  gateway = await startGateway({ virtual: 0, port: 0, dataDir, requireToken: true });
});
afterAll(() => gateway.close());

describe('whetstone tokens', () => {
  it('begins with an admin token that only this user reads, and finds it by itself', async () => {
    expect(gateway.adminToken).toBe(join(dataDir, 'admin.token'));
    expect(statSync(gateway.adminToken!).mode & 0o777).toBe(0o600);
    expect(await list()).toMatchObject([{ name: 'admin', role: 'admin', valid: true }]);
    expect((await ask('devices')).status).toBe(0);
  });

  it('makes a token that may what its role may, until it is revoked', async () => {
    const file = join(temporary(), 'ann.token');
    const added = await ask('tokens', 'add', 'ann', '--role', 'viewer', '--out', file);
    expect([added.status, added.err]).toEqual([0, '']);
    expect(added.out).toBe(`${file}: ann is viewer with it, until it is revoked\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const ann = (...args: string[]) => ask(...args, '--token-file', file);
    expect((await ann('devices')).status).toBe(0);
    const small = await ann('rollback');
    expect([small.status, small.err]).toEqual([
      1,
      expect.stringContaining("this is for operators; 'ann' is viewer"),
    ]);
    const { id } = (await list()).find(({ name }) => name === 'ann')!;
    expect((await ask('tokens', 'revoke', id)).out).toContain('ann (viewer) has no access');
    const revoked = await ann('devices');
    expect([revoked.status, revoked.err]).toEqual([1, expect.stringContaining('was revoked')]);
    expect((await ask('tokens')).out).toMatch(/ann +viewer .* revoked /);
  });

  it('shows a token once, and says how long it counts', async () => {
    const { out } = await ask('tokens', 'add', 'bob', '--role', 'operator', '--days', '7');
    const [token, line] = out.split('\n');
    expect(token).toMatch(/^wt_[0-9a-f]{12}_[\w-]{43}$/);
    expect(line).toMatch(/^bob is operator with it, until \d{4}-/);
    expect((await ask('tokens')).out).not.toContain(token!.slice(-43));
    expect((await list()).find(({ name }) => name === 'bob')?.expiresAt).toBeGreaterThan(0);
  });

  it('overwrites no file, and makes no token that it could not keep', async () => {
    const file = join(temporary(), 'taken');
    writeFileSync(file, 'mine');
    const { status, err } = await ask('tokens', 'add', 'eve', '--role', 'admin', '--out', file);
    expect([status, err]).toEqual([1, expect.stringContaining('taken: it is there already (')]);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect((await list()).some(({ name }) => name === 'eve')).toBe(false);
  });

  it('follows events with the same token', async () => {
    const { out } = await ask('events', '--json');
    expect(JSON.parse(out).events.map(({ kind }: { kind: string }) => kind)).toContain(
      'token.added',
    );
  });
});

describe('remoteOf()', () => {
  it('shows what was named, and the admin token only to the gateway of its directory', () => {
    const admin = readFileSync(join(dataDir, 'admin.token'), 'utf8').trim();
    expect(remoteOf({ dataDir }, {})).toEqual({ url: gateway.url, spareToken: admin });
    const elsewhere = 'https://box.example:7380';
    expect(remoteOf({ dataDir, gateway: elsewhere }, {})).toEqual({ url: elsewhere });
    const env = { WHETSTONE_TOKEN: 'of-the-environment' };
    expect(remoteOf({ gateway: elsewhere }, env).token).toBe('of-the-environment');
    const tokenFile = join(temporary(), 'token');
    writeFileSync(tokenFile, 'of-the-file\n');
    expect(remoteOf({ gateway: elsewhere, tokenFile }, env).token).toBe('of-the-file');
    expect(() => remoteOf({ tokenFile: '/nowhere/token' }, {})).toThrow(
      'cannot read /nowhere/token: there is no such file',
    );
    writeFileSync(tokenFile, 'two words\n');
    expect(() => remoteOf({ tokenFile }, {})).toThrow(`${tokenFile} holds no token`);
    expect(() => remoteOf({}, { WHETSTONE_TOKEN: 'a\nb' })).toThrow(
      'WHETSTONE_TOKEN holds no token',
    );
    expect(remoteOf({ gateway: `${elsewhere}/#/models` }, {})).toEqual({ url: elsewhere });
    for (const gateway of ['box', '', 'ftp://box']) {
      expect(() => remoteOf({ gateway }, {})).toThrow(`'${gateway}' is no URL of a gateway`);
    }
    expect(remoteOf({ dataDir: '/nowhere' }, {})).toEqual({ url: 'http://127.0.0.1:7380' });
  });

  it('makes another admin token at a start where none counts, and no second one', async () => {
    const options = { virtual: 0, port: 0, dataDir: join(temporary(), 'data') };
    const first = await startGateway(options);
    const [{ id }] = await first.call.tokens();
    await first.close();
    const second = await startGateway(options);
    expect(second.adminToken).toBeNull();
    await second.call.revokeToken(id!);
    await second.close();
    rmSync(first.adminToken!);
    const third = await startGateway(options);
    expect(third.adminToken).toBe(first.adminToken);
    await third.close();
  });
});
