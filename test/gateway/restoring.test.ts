import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSigner } from '../../gateway/registry/signing.ts';
import { restore } from '../../gateway/restoring.ts';
import { writeBackup } from '../../gateway/store/backup.ts';
import { openStore } from '../../gateway/store/store.ts';
import type { StoreKey } from '../../gateway/store/store-key.ts';
import { temporary, testStore } from './store/support.ts';
import { sample } from './store/support-sample.ts';
import { contentsOf, fillStore } from './store/whole.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const now = () => 9000;

async function backedUp(key?: StoreKey) {
  const directory = join(temporary(), 'data');
  const store = testStore({ directory, key });
  await fillStore(store);
  const { id: publicKey } = openSigner(join(directory, 'key.pem'), store.vault).current;
  const path = join(temporary(), 'a.backup');
  const contents = writeBackup(directory, path, 7000); // while the store is open
  return { directory, store, publicKey, path, contents, before: contentsOf(store) };
}

type Contents = ReturnType<typeof contentsOf>;

/** Everything is as it was, and one event says whence it came. */
function expectRestored(
  directory: string,
  before: Contents,
  publicKey: string,
  key?: StoreKey,
): void {
  const store = testStore({ directory, key });
  const { events, ...others } = contentsOf(store) as Contents & { events: { kind: string }[] };
  const { events: eventsBefore, ...othersBefore } = before;
  expect(others).toEqual(othersBefore);
  expect(events.slice(0, -1)).toEqual(eventsBefore);
  expect(events.at(-1)).toMatchObject({ kind: 'store.restored', data: { from: 7000 }, at: 9000 });
  expect(openSigner(join(directory, 'key.pem'), store.vault).current.id).toBe(publicKey);
  expect(readdirSync(directory).filter((name) => /restore|partial|json/.test(name))).toEqual([]);
  store.close();
}

describe('writeBackup() and restore()', () => {
  test('bring store and signing key to another place, also while the store is written', async () => {
    const { store, publicKey, path, contents, before } = await backedUp();
    expect(contents.files.map(({ name }) => name)).toEqual(['store.db', 'key.pem']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await store.samples.add(sample({ seq: 99 })); // not in it
    const target = join(temporary(), 'new', 'data');
    expect(restore({ path, directory: target, now })).toEqual(contents);
    expectRestored(target, before, publicKey);
    expect(statSync(join(target, 'key.pem')).mode & 0o777).toBe(0o600);
  });

  test('an encrypted store stays encrypted, and is not restored without its key', async () => {
    const key = { bytes: randomBytes(32), source: 'key file test' };
    const { publicKey, path, before, contents } = await backedUp(key);
    expect(contents.keyId).toMatch(/^[0-9a-f]{16}$/);
    const file = readFileSync(path);
    for (const text of ['PRIVATE KEY', 'a part of a model', 'mönitor']) {
      expect(file.includes(text)).toBe(false);
    }
    const target = join(temporary(), 'data');
    const other = { bytes: randomBytes(32), source: 'key file other' };
    for (const wrong of [undefined, other]) {
      expect(() => restore({ path, directory: target, key: wrong, now })).toThrow(
        code('store-key'),
      );
      expect(existsSync(join(target, 'store.db'))).toBe(false);
    }
    restore({ path, directory: target, key, now });
    expectRestored(target, before, publicKey, key);
  });

  test('release numbers that may have been given since are not given again', async () => {
    const { path } = await backedUp();
    const target = join(temporary(), 'data');
    restore({ path, directory: target, now });
    expect(testStore({ directory: target }).catalogue.nextRelease()).toBe(1002);
  });

  test('writeBackup() overwrites nothing, and says so where there is no store or no folder', async () => {
    const { directory, path } = await backedUp();
    const before = readFileSync(path);
    expect(() => writeBackup(directory, path, 1)).toThrow(code('not-allowed'));
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(() => writeBackup(temporary(), `${path}2`, 1)).toThrow(code('not-found'));
    expect(() => writeBackup(directory, '/nowhere/a.backup', 1)).toThrow(code('bad-file'));
    expect(existsSync(`${path}.partial`)).toBe(false);
  });

  test('restore() leaves a folder that is not empty, or in use, as it is', async () => {
    const { path, publicKey, before } = await backedUp();
    const target = temporary();
    const other = openStore({ directory: target });
    await other.samples.add(sample({ seq: 42 }));
    expect(() => restore({ path, directory: target, now })).toThrow(code('not-allowed'));
    expect(() => restore({ path, directory: target, replace: true, now })).toThrow(code('in-use'));
    expect(other.samples.find({}).map(({ seq }) => seq)).toEqual([42]);
    other.close();
    openSigner(join(target, 'key.pem'));
    openSigner(join(target, 'key-of-before.pem'));
    writeFileSync(join(target, 'notes.txt'), 'mine');
    expect(() => restore({ path, directory: target, now })).toThrow(code('not-allowed'));
    restore({ path, directory: target, replace: true, now });
    expectRestored(target, before, publicKey);
    // keys of the store before are gone with it; what is not the gateway's stays
    expect(existsSync(join(target, 'key-of-before.pem'))).toBe(false);
    expect(readFileSync(join(target, 'notes.txt'), 'utf8')).toBe('mine');
  });

  test('restore() refuses a backup that trusts what was revoked since, and names it', async () => {
    const { directory, store, path, contents } = await backedUp();
    store.journal.write('signer.revoked', 'ab12', { who: 'ann' }, 8000);
    store.journal.write('key.removed', 'puck-1', {}, 8001);
    store.journal.write('key.added', 'puck-2', {}, 8002);
    store.close();
    const again = { path, directory, replace: true, now };
    expect(() => restore(again)).toThrow(/signer.revoked ab12, key.removed puck-1$/);
    const after = testStore({ directory });
    expect(after.journal.find().at(-1)).toMatchObject({ kind: 'key.added' });
    after.close();
    expect(restore({ ...again, trustAgain: true })).toMatchObject({
      at: contents.at,
      trustedAgain: [
        { kind: 'signer.revoked', subject: 'ab12' },
        { kind: 'key.removed', subject: 'puck-1' },
      ],
    });
    // of another gateway's store nothing is forgotten
    const other = join(temporary(), 'data');
    const stranger = testStore({ directory: other });
    stranger.journal.write('signer.revoked', 'cd34', {}, 8000);
    stranger.close();
    expect(restore({ path, directory: other, replace: true, now })).toEqual(contents);
    writeFileSync(join(other, 'store.db'), 'no database');
    expect(restore({ path, directory: other, replace: true, now })).toEqual({
      ...contents,
      unread: true,
    });
  });

  test('restore() refuses a backup with any one byte changed, or cut anywhere, and changes nothing', async () => {
    const { path } = await backedUp();
    const good = readFileSync(path);
    const bad = join(temporary(), 'bad.backup');
    const target = temporary();
    openStore({ directory: target }).close();
    const before = readFileSync(join(target, 'store.db'));
    const attempt = (bytes: Uint8Array, what: string) => {
      writeFileSync(bad, bytes);
      expect(() => restore({ path: bad, directory: target, replace: true, now }), what).toThrow(
        code('bad-file'),
      );
    };
    const step = Math.floor(good.length / 150);
    for (let at = 0; at < good.length; at += at > good.length - 600 ? 7 : step) {
      const bytes = Buffer.from(good);
      bytes[at]! ^= 1 << (at % 8);
      attempt(bytes, `byte ${at}`);
      attempt(good.subarray(0, at), `cut at ${at}`);
    }
    attempt(Buffer.concat([good, Buffer.of(0)]), 'a byte more');
    expect(readFileSync(join(target, 'store.db')).equals(before)).toBe(true);
    expect(readdirSync(target).filter((name) => name.startsWith('restore'))).toEqual([]);
  });

  test('restore() refuses a backup whose store is damaged although its hash is right', async () => {
    const { directory, store } = await backedUp();
    store.close();
    const broken = join(temporary(), 'data');
    cpSync(directory, broken, { recursive: true });
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(join(broken, 'store.db'));
    db.exec("UPDATE parts SET bytes = x'00'");
    db.close();
    const path = join(temporary(), 'b.backup');
    writeBackup(broken, path, 1);
    const target = join(temporary(), 'data');
    expect(() => restore({ path, directory: target, now })).toThrow(code('damaged'));
    expect(existsSync(join(target, 'store.db'))).toBe(false);
  });
});
