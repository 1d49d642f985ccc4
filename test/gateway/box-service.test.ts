import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { remoteCalls } from '../../gateway/api/client.ts';
import type { Calls, Gateway } from '../../gateway/calls.ts';
import { startGateway } from '../../gateway/main.ts';
import { makeStoreKey } from '../../gateway/store/store-key.ts';
import { temporary } from '../support/loop-world.ts';

let gateway: Gateway;
let calls: Calls;
let dataDir: string;

beforeAll(async () => {
  const folder = temporary(afterAll);
  const keyFile = join(folder, 'store.key');
  makeStoreKey(keyFile);
  dataDir = join(folder, 'data');
  gateway = await startGateway({ virtual: 0, port: 0, dataDir, keyFile });
  calls = remoteCalls(gateway.url);
});
afterAll(() => gateway.close());

describe('boxService()', () => {
  it('verifies, lists and backs up an encrypted store while its gateway runs', async () => {
    const [found, again] = await Promise.all([calls.verify(), calls.verify()]);
    expect(found).toMatchObject({ ok: true, problems: [], keys: 1 });
    expect(again).toEqual(found);
    const { entries, head } = await calls.audit({ all: true });
    expect(entries.map(({ kind }) => kind)).toContain('token.added');
    expect(head.entry).toBe(entries.at(-1)?.id);
    expect((await calls.verify(head.hash)).ok).toBe(true);
    expect((await calls.verify('0'.repeat(16))).ok).toBe(false);
    const { file, keyId } = await calls.backup();
    expect(file.startsWith(join(dataDir, 'backups', 'whetstone-'))).toBe(true);
    expect(existsSync(file)).toBe(true);
    expect(keyId).toMatch(/^[0-9a-f]{16}$/);
  });

  it('reads the store for a few at a time: many questions are no many processes', async () => {
    const asked = Array.from({ length: 12 }, (_, since) => calls.audit({ since }));
    const answers = await Promise.allSettled(asked);
    const refused = answers.flatMap((answer) => ('reason' in answer ? [answer.reason.code] : []));
    expect(refused).toEqual(Array(8).fill('too-many-requests'));
    expect((await calls.audit({ since: Number.MAX_SAFE_INTEGER })).entries).toEqual([]);
    await expect(calls.audit({ since: 1e19 })).rejects.toMatchObject({ code: 'bad-request' });
  });
});
