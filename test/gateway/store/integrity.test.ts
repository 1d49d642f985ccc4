import { copyFileSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { ALWAYS_BYTES, checkState, isCheckDue } from '../../../gateway/store/integrity.ts';
import { openStore } from '../../../gateway/store/store.ts';
import { sample, temporary, testStore } from './support.ts';
import { fillStore } from './whole.ts';

const damaged = expect.objectContaining({
  code: 'damaged',
  hint: expect.stringContaining('whetstone restore FILE --data-dir'),
});

async function closedStore(): Promise<string> {
  const directory = temporary();
  const store = openStore({ directory });
  await fillStore(store);
  store.close();
  return directory;
}

function change(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, 'store.db'), { enableForeignKeyConstraints: false });
  db.exec(sql);
  db.close();
}

describe('a store that is damaged', () => {
  test('is refused when a part does not hash to its name', async () => {
    const directory = await closedStore();
    change(directory, "UPDATE parts SET bytes = x'00'");
    expect(() => openStore({ directory })).toThrow(damaged);
  });

  test('is refused when a label names a sample that is gone', async () => {
    const directory = await closedStore();
    change(directory, 'DELETE FROM samples WHERE id = 2');
    expect(() => openStore({ directory })).toThrow(damaged);
  });

  test('is refused for pages that are overwritten, wherever they are, and not changed', async () => {
    const directory = await closedStore();
    const path = join(directory, 'store.db');
    const good = join(temporary(), 'good.db');
    copyFileSync(path, good);
    const pages = readFileSync(path).length / 4096;
    const survived: number[] = [];
    for (let page = 0; page < pages; page++) {
      copyFileSync(good, path);
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, page * 4096);
      const before = readFileSync(path);
      try {
        openStore({ directory }).close();
        survived.push(page);
      } catch (error) {
        expect(error, `page ${page}`).toEqual(damaged);
        expect(readFileSync(path).equals(before)).toBe(true);
      }
    }
    expect(survived).toEqual([]);
  });

  test('is refused when it is cut short', async () => {
    const directory = await closedStore();
    const path = join(directory, 'store.db');
    const whole = readFileSync(path);
    const { truncateSync } = await import('node:fs');
    truncateSync(path, whole.length - 3 * 4096);
    expect(() => openStore({ directory })).toThrow(damaged);
  });

  test('is told once when it is found while it is open', async () => {
    const directory = temporary();
    const told: string[] = [];
    const store = testStore({ directory, onDamage: ({ code }) => told.push(code) });
    // more than SQLite keeps in memory
    const big = (seq: number) => sample({ seq, window: new Int8Array(20_000).fill(seq) });
    await Promise.all(Array.from({ length: 300 }, (_, i) => store.samples.add(big(i + 1))));
    const path = join(directory, 'store.db');
    new DatabaseSync(path).exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const { length } = readFileSync(path);
    const file = openSync(path, 'r+');
    for (let page = 1; page < length / 4096; page++) {
      writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, page * 4096);
    }
    for (let i = 0; i < 2; i++) expect(() => store.erase({ device: 'w1' })).toThrow(damaged);
    expect(told).toEqual(['damaged']);
  });
});

describe('isCheckDue()', () => {
  const [day, big] = [86_400_000, ALWAYS_BYTES + 1];
  test.each([
    ['never looked through', big, undefined, 0, true],
    ['closed in order lately', big, { at: 10 * day, closed: true }, 16 * day, false],
    ['closed in order, a week ago', big, { at: 10 * day, closed: true }, 17 * day + 1, true],
    ['looked through in the future', big, { at: 10 * day, closed: true }, 9 * day, true],
    ['killed', big, { at: 10 * day, closed: false }, 10 * day, true],
    ['small', ALWAYS_BYTES, { at: 10 * day, closed: true }, 10 * day, true],
  ])('of a store that was %s', (_what, bytes, state, now, due) => {
    expect(isCheckDue(bytes, state, now)).toBe(due);
  });

  test('checkState() knows a store that was closed from one that was killed', async () => {
    const directory = await closedStore();
    const path = join(directory, 'store.db');
    const stateOf = () => {
      const db = new DatabaseSync(path, { readOnly: true });
      const state = checkState(db);
      db.close();
      return state?.closed;
    };
    expect(stateOf()).toBe(true);
    const store = testStore({ directory });
    expect(stateOf()).toBe(false);
    store.close();
    expect(stateOf()).toBe(true);
  });
});
