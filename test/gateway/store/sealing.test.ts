import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../../gateway/store/store.ts';
import { keyIdOf, type StoreKey } from '../../../gateway/store/store-key.ts';
import { sample, temporary, testStore } from './support.ts';
import { contentsOf, fillStore } from './whole.ts';

const keyOf = (): StoreKey => ({ bytes: randomBytes(32), source: 'key file test' });
const refused = expect.objectContaining({ code: 'store-key' });
const secret = Int8Array.from({ length: 90 }, (_, i) => (i * 53) % 101);

async function sealedStore(key: StoreKey): Promise<string> {
  const directory = temporary();
  const store = openStore({ directory, key });
  await store.samples.add(sample({ window: secret, embedding: secret.subarray(0, 40) }));
  await store.samples.add(sample({ seq: 2, window: secret.map((v) => -v), embedding: null }));
  store.catalogue.addPart(Buffer.from('weights that nobody reads'));
  store.states.saveNow('monitor', { text: 'what the monitor saw' });
  store.close();
  return directory;
}

/** Hash of every file with something in it, for those that are not the lock's or shared memory. */
function filesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory).filter(
    (name) => !/^gateway[.]|-shm$/.test(name) && statSync(join(directory, name)).size > 0,
  );
  return Object.fromEntries(
    names.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex'),
    ]),
  );
}

describe('an encrypted store', () => {
  test('gives back what it was given, and its file holds none of it', async () => {
    const key = keyOf();
    const directory = await sealedStore(key);
    const file = readFileSync(join(directory, 'store.db'));
    for (const text of [
      secret,
      secret.subarray(0, 40),
      'weights that nobody reads',
      'monitor saw',
    ]) {
      expect(file.includes(typeof text === 'string' ? text : Buffer.from(text))).toBe(false);
    }
    const store = testStore({ directory, key });
    expect(store.vault.keyId).toBe(keyIdOf(key.bytes));
    const [first, second] = store.samples.find({});
    expect([first?.window, first?.embedding]).toEqual([secret, secret.subarray(0, 40)]);
    expect([second?.window, second?.embedding]).toEqual([secret.map((v) => -v), null]);
    expect(store.states.load('monitor')).toEqual({ text: 'what the monitor saw' });
    const reader = testStore({ directory, key, readOnly: true });
    expect(reader.samples.get(1)?.window).toEqual(secret);
  });

  test('behaves as a plain one', async () => {
    const plain = testStore({ directory: temporary() });
    const sealed = testStore({ directory: temporary(), key: keyOf() });
    for (const store of [plain, sealed]) await fillStore(store);
    // each draws its own name and keys
    const own = ({ gateway: _, keys: __, ...rest }: ReturnType<typeof contentsOf>) => rest;
    expect(own(contentsOf(sealed))).toEqual(own(contentsOf(plain)));
    expect(sealed.keys.list()).toMatchObject([{ device: 'w1', suite: 'ccm' }]);
  });

  test.each([
    ['no key', undefined],
    ['another key', keyOf()],
  ])('with %s it is refused, to write and to look, and nothing is written', async (_what, key) => {
    const directory = await sealedStore(keyOf());
    const before = filesOf(directory);
    expect(() => openStore({ directory, key })).toThrow(refused);
    expect(() => openStore({ directory, key, readOnly: true })).toThrow(refused);
    expect(filesOf(directory)).toEqual(before);
  });

  test('a key for a store that is not encrypted is refused', async () => {
    const directory = temporary();
    openStore({ directory }).close();
    const before = filesOf(directory);
    expect(() => openStore({ directory, key: keyOf() })).toThrow(refused);
    expect(filesOf(directory)).toEqual(before);
  });

  test('a key whose fingerprint alone was put into the store is refused', async () => {
    const directory = await sealedStore(keyOf());
    const other = keyOf();
    const db = new DatabaseSync(join(directory, 'store.db'));
    db.prepare("UPDATE meta SET value = json_set(value, '$.keyId', ?) WHERE name = 'sealing'").run(
      keyIdOf(other.bytes),
    );
    db.close();
    expect(() => openStore({ directory, key: other })).toThrow(refused);
  });

  test('windows that were swapped, or moved into a column of another name, do not open', async () => {
    const key = keyOf();
    const directory = await sealedStore(key);
    const db = new DatabaseSync(join(directory, 'store.db'));
    db.exec(
      `UPDATE samples SET window = (SELECT window FROM samples o WHERE o.seq = 3 - samples.seq)`,
    );
    db.close();
    const store = testStore({ directory, key });
    const damaged = expect.objectContaining({ code: 'damaged' });
    expect(() => store.samples.get(1)).toThrow(damaged);
    store.close();
    const again = new DatabaseSync(join(directory, 'store.db'));
    again.exec('UPDATE samples SET window = NULL, embedding = window');
    again.close();
    expect(() => testStore({ directory, key }).samples.get(1)).toThrow(damaged);
  });
});
