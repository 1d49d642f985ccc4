import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keysOf } from '../../../gateway/store/keys.ts';
import { rowsOf } from '../../../gateway/store/rows.ts';
import { migrate } from '../../../gateway/store/schema.ts';
import { openStore } from '../../../gateway/store/store.ts';
import type { Vault } from '../../../gateway/store/vault.ts';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'whetstone-keys-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function memory() {
  const store = openStore({ directory: ':memory:' });
  onTestFinished(() => store.close());
  return store.keys;
}

const BOARD = { board: 'puckjs', suite: 'ccm', at: 7 } as const;

describe('keysOf()', () => {
  test('draws different keys for each device and direction', () => {
    const keys = memory();
    const all = ['a', 'b', 'c'].flatMap((id) => {
      const { up, down, generation } = keys.add(id, BOARD).present;
      expect([up.length, down.length, generation]).toEqual([16, 16, 1]);
      return [up, down].map((key) => Buffer.from(key).toString('hex'));
    });
    expect(new Set(all).size).toBe(6);
  });

  test('does not replace keys unasked', () => {
    const keys = memory();
    const first = keys.add('a', BOARD).present;
    expect(() => keys.add('a', BOARD)).toThrow(/has keys already/);
    keys.begin('a', 40);
    keys.prove('a', { epoch: 1, deviceEpoch: 4, port: 'p' });
    const second = keys.add('a', BOARD, { replace: true });
    expect(Buffer.from(second.present.up).equals(first.up)).toBe(false);
    // sessions are epochs: those of the new keys have to lie above the old ones
    expect(second).toMatchObject({ deviceEpoch: 40, epoch: 1, pending: null });
  });

  test('leaves a port to the device that was the last to speak on it', () => {
    const keys = memory();
    for (const id of ['a', 'b', 'c']) keys.add(id, BOARD);
    const speaks = (id: string, port: string): void => {
      keys.prove(id, { epoch: keys.begin(id, 1), deviceEpoch: 1, port });
    };
    speaks('a', 'p');
    speaks('c', 'q');
    speaks('b', 'p');
    expect(keys.list().map(({ port }) => port)).toEqual(['', 'p', 'q']);
    speaks('a', 'p');
    expect(keys.list().map(({ port }) => port)).toEqual(['p', '', 'q']);
  });

  test('leaves a port to the one that comes back to it in the epochs of before', () => {
    const keys = memory();
    for (const id of ['a', 'b']) keys.add(id, BOARD);
    const [ofA, ofB] = ['a', 'b'].map((id) => ({ epoch: keys.begin(id, 1), deviceEpoch: 1 }));
    keys.prove('a', { ...ofA!, port: 'p' });
    keys.prove('b', { ...ofB!, port: 'p' });
    keys.prove('a', { ...ofA!, port: 'p' });
    expect(keys.list().map(({ port }) => port)).toEqual(['p', '']);
    keys.begin('a', 1);
    keys.prove('a', { epoch: 2, deviceEpoch: 1, port: 'q' });
    keys.prove('a', { ...ofA!, port: 'p' }); // it is elsewhere now
    expect(keys.get('a')).toMatchObject({ port: 'q', provenEpoch: 2 });
  });

  test('gives no new keys where the epochs that a record can begin at are used up', () => {
    const keys = memory();
    const first = keys.add('a', BOARD);
    keys.begin('a', 2 ** 23);
    expect(keys.add('a', BOARD, { replace: true }).deviceEpoch).toBe(2 ** 23);
    keys.begin('a', 2 ** 23 + 1); // whoever has its keys may say so
    const { present } = keys.get('a')!;
    expect(() => keys.add('a', BOARD, { replace: true })).toThrow(/another name|all its epochs/);
    expect(keys.get('a')!.present).toEqual(present);
    expect(present).not.toEqual(first.present);
  });

  test('counts epochs that are on disk before they are used, whenever the process dies', () => {
    const directory = folder();
    const store = openStore({ directory });
    store.keys.add('a', BOARD);
    for (let epoch = 1; epoch <= 3; epoch++) {
      expect(store.keys.begin('a', 10 + epoch)).toBe(epoch);
      const copy = folder();
      cpSync(directory, copy, { recursive: true, filter: (path) => !path.endsWith('.lock') });
      const after = openStore({ directory: copy });
      expect(after.keys.get('a')).toMatchObject({ epoch, deviceEpoch: 10 + epoch });
      expect(after.keys.begin('a', 1)).toBe(epoch + 1);
      expect(after.keys.get('a')!.deviceEpoch).toBe(10 + epoch);
      after.close();
    }
    store.close();
  });

  test('keeps pending keys over a restart, and takes them when they are promoted', () => {
    const directory = folder();
    let store = openStore({ directory });
    store.keys.add('a', BOARD);
    const { pending } = store.keys.rotate('a');
    expect(store.keys.rotate('a').pending).toEqual(pending);
    store.close();
    store = openStore({ directory });
    expect(store.keys.get('a')!.pending).toEqual(pending);
    store.keys.promote('a');
    store.keys.promote('a');
    store.close();
    store = openStore({ directory });
    expect(store.keys.get('a')).toMatchObject({ present: pending, pending: null });
    expect(pending!.generation).toBe(2);
    store.close();
  });

  test('forgets the keys of a removed device, not its name', () => {
    const directory = folder();
    const store = openStore({ directory });
    const { up } = store.keys.add('a', BOARD).present;
    const key = Buffer.from(up);
    store.keys.begin('a', 9);
    store.keys.remove('a', 99);
    expect([store.keys.get('a'), store.keys.knows('a'), store.keys.knows('b')]).toEqual([
      undefined,
      true,
      false,
    ]);
    expect(store.keys.removed()).toEqual([
      { device: 'a', board: 'puckjs', suite: 'ccm', addedAt: 7, rotatedAt: 7, removedAt: 99 },
    ]);
    for (const act of ['rotate', 'promote'] as const) {
      expect(() => store.keys[act]('a')).toThrow(/has no keys/);
    }
    store.close();
    expect(readFileSync(join(directory, 'store.db')).includes(key)).toBe(false);
    const again = openStore({ directory });
    expect(again.keys.add('a', BOARD)).toMatchObject({ deviceEpoch: 9, epoch: 1 });
    again.close();
  });

  test('gives key material to the vault, and nothing else', () => {
    const db = new DatabaseSync(':memory:');
    migrate(db);
    const rows = rowsOf(db);
    const commit = { now: <T>(run: () => T) => run() } as Parameters<typeof keysOf>[1];
    const flip = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0x5a);
    const places: string[] = [];
    const vault: Vault = {
      keyId: 'test',
      seal: (table, row, column, bytes) => {
        places.push(`${table}/${row}/${column}`);
        return flip(bytes);
      },
      open: (_table, _row, _column, bytes) => flip(bytes),
    };
    const keys = keysOf(rows, commit, () => 5, vault);
    const { up } = keys.add('a', BOARD).present;
    const { pending } = keys.rotate('a');
    expect(places).toEqual(['linkKeys/a/keys', 'linkKeys/a/keys', 'linkKeys/a/pending']);
    const row = rows.one<{ keys: Uint8Array }>('SELECT keys FROM linkKeys')!;
    expect(Buffer.from(row.keys.subarray(0, 16)).equals(up)).toBe(false);
    const other = keysOf(rows, commit, () => 5, vault).get('a')!;
    expect([Buffer.from(other.present.up).equals(up), other.pending]).toEqual([true, pending]);
  });
});

describe('skipEpochs()', () => {
  test('leaves epochs out, so that none of a restored store comes twice', () => {
    const store = openStore({ directory: ':memory:' });
    store.keys.add('a', BOARD);
    expect(store.keys.begin('a', 3)).toBe(1);
    store.keys.skipEpochs(1000);
    expect(store.keys.begin('a', 3)).toBe(1002);
    expect(store.keys.get('a')?.deviceEpoch).toBe(3);
    store.close();
  });
});

describe('refusalsOf()', () => {
  test('counts by device and kind, and is erased with the device', () => {
    const store = openStore({ directory: ':memory:' });
    for (let k = 0; k < 3; k++) store.refusals.note('a', 'refused-crc', k);
    store.refusals.note('a', 'impostor', 5);
    store.refusals.note('b', 'impostor', 5);
    expect(store.refusals.of('a')).toEqual({ impostor: 1, 'refused-crc': 3 });
    store.erase({ device: 'a' });
    expect([store.refusals.of('a'), store.refusals.of('b')]).toEqual([{}, { impostor: 1 }]);
    store.close();
  });
});
