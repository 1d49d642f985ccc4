import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSigner } from '../../../gateway/registry/signing.ts';
import { encryptStore } from '../../../gateway/store/encrypt.ts';
import { openStore } from '../../../gateway/store/store.ts';
import type { StoreKey } from '../../../gateway/store/store-key.ts';
import { temporary, testStore } from './support.ts';
import { contentsOf, fillStore } from './whole.ts';

const keyOf = (): StoreKey => ({ bytes: randomBytes(32), source: 'key file test' });
const code = (name: string) => expect.objectContaining({ code: name });

async function plainDirectory() {
  const directory = temporary();
  const store = openStore({ directory });
  await fillStore(store);
  const contents = contentsOf(store);
  store.close();
  const { id: publicKey } = openSigner(join(directory, 'key.pem')).current;
  return { directory, contents, publicKey };
}

function expectWhole(
  { directory, contents, publicKey }: Awaited<ReturnType<typeof plainDirectory>>,
  key: StoreKey | undefined,
): void {
  const store = openStore({ directory, key });
  const now = contentsOf(store);
  const { id: has } = openSigner(join(directory, 'key.pem'), store.vault).current;
  store.close();
  const events = (now.events as { kind: string }[]).filter(
    ({ kind }) => kind !== 'store.encrypted',
  );
  expect({ ...now, events }).toEqual(contents);
  expect(has).toBe(publicKey);
}

describe('encryptStore()', () => {
  test('encrypts a store and its signing key, and changes the key of both', async () => {
    const before = await plainDirectory();
    const { directory } = before;
    const [first, second] = [keyOf(), keyOf()];
    const { values } = encryptStore({ directory, key: first });
    // five windows, three embeddings, a part, a state, present and pending keys of a device
    expect(values).toBe(12);
    expectWhole(before, first);
    const files = ['store.db', 'key.pem'].map((name) => readFileSync(join(directory, name)));
    for (const text of ['a part of a model', 'mönitor', 'PRIVATE KEY']) {
      for (const file of files) expect(file.includes(text)).toBe(false);
    }
    expect(() => encryptStore({ directory, key: second })).toThrow(code('store-key'));
    expect(() => encryptStore({ directory, key: first, from: first })).toThrow(code('store-key'));
    encryptStore({ directory, key: second, from: first });
    expectWhole(before, second);
    expect(() => openStore({ directory, key: first })).toThrow(code('store-key'));
    expect(readdirSync(directory).filter((name) => /partial|next/.test(name))).toEqual([]);
  });

  test('refuses while somebody has the store, and where there is none', async () => {
    const { directory } = await plainDirectory();
    const store = testStore({ directory });
    expect(() => encryptStore({ directory, key: keyOf() })).toThrow(code('in-use'));
    store.close();
    expect(() => encryptStore({ directory: temporary(), key: keyOf() })).toThrow(code('not-found'));
  });

  test('killed before any of its writes it leaves a store of one key, whole', {
    timeout: 120_000,
  }, async () => {
    const [from, key] = [keyOf(), keyOf()];
    const script = join(import.meta.dirname, 'encrypt-killed.ts');
    const states: string[] = [];
    for (let at = 1; ; at++) {
      const before = await plainDirectory();
      encryptStore({ directory: before.directory, key: from });
      const keys = [from, key].map(({ bytes }) => Buffer.from(bytes).toString('hex'));
      const child = spawnSync(process.execPath, [script, before.directory, ...keys, String(at)]);
      if (child.signal === null) {
        expect(child.status, String(child.stderr)).toBe(0);
        break;
      }
      const has = isOf(before.directory, key) ? 'new' : 'old';
      states.push(has);
      expectWhole(before, has === 'new' ? key : from);
    }
    // killed before the commit, and after it
    expect(states.length).toBeGreaterThan(10);
    expect([states[0], states.at(-1)]).toEqual(['old', 'new']);
  });
});

function isOf(directory: string, key: StoreKey): boolean {
  try {
    openStore({ directory, key }).close();
    return true;
  } catch {
    return false;
  }
}
