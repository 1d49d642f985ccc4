import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startGateway } from '../../../gateway/main.ts';
import { openSigner } from '../../../gateway/registry/signing.ts';
import { openStore } from '../../../gateway/store/store.ts';
import { sample, temporary } from '../store/support.ts';
import { whetstone } from './run.ts';

describe('whetstone encrypt, start, backup, restore', () => {
  it('take a key from a file to a restored gateway, and nothing works without it', async () => {
    const directory = temporary();
    const folder = temporary();
    const [keyFile, wrong] = [join(folder, 'key'), join(folder, 'other')];
    const store = openStore({ directory });
    const window = new Int8Array(150).fill(3);
    for (const seq of [1, 2, 3]) await store.samples.add(sample({ seq, window }));
    store.close();
    openSigner(join(directory, 'key.pem'));
    for (const file of [keyFile, wrong]) {
      expect((await whetstone('encrypt', '--new-key', file)).status).toBe(0);
    }
    const none = await whetstone('encrypt', '--data-dir', directory);
    expect([none.status, none.err]).toEqual([1, expect.stringContaining('no key to encrypt with')]);
    const args = ['--data-dir', directory, '--key-file', keyFile];
    const done = await whetstone('encrypt', ...args, '--json');
    const { keyId, values } = JSON.parse(done.out);
    expect(values).toBe(6); // windows and embeddings

    const options = { dataDir: directory, virtual: 0, port: 0 };
    const refused = expect.objectContaining({ code: 'store-key' });
    await expect(startGateway(options)).rejects.toEqual(refused);
    await expect(startGateway({ ...options, keyFile: wrong })).rejects.toEqual(refused);
    const config = join(folder, 'config.json');
    writeFileSync(config, JSON.stringify({ ...options, keyFile, retention: { maxDays: 30 } }));
    const gateway = await startGateway({ config });
    const { store: view } = await gateway.call.status();
    expect(view).toMatchObject({ keyId, fullSince: null });
    expect(view.retention).toMatchObject({ maxDays: 30, maxBytes: 2_000_000_000, removed: 0 });

    const path = join(folder, 'a.backup');
    const backup = await whetstone('backup', path, '--data-dir', directory);
    expect(backup.out).toContain(`needs key ${keyId}`);
    await gateway.close();
    expect(readFileSync(path).includes('PRIVATE KEY')).toBe(false);
    const target = join(folder, 'restored');
    const without = await whetstone('restore', path, '--data-dir', target);
    expect([without.status, without.err]).toEqual([1, expect.stringContaining(keyId)]);
    const restored = await whetstone('restore', path, '--data-dir', target, '--key-file', keyFile);
    expect([restored.status, restored.err]).toEqual([0, '']);
    expect(restored.out).toContain(`whetstone start --data-dir ${target} --key-file ${keyFile}`);
    const again = await startGateway({ ...options, dataDir: target, keyFile });
    expect((await again.call.events()).some(({ kind }) => kind === 'store.restored')).toBe(true);
    await again.close();

    chmodSync(keyFile, 0o644);
    const open = await whetstone('doctor', ...args);
    expect(open.out).toContain(`others may read key file ${keyFile}`);
  });
});
