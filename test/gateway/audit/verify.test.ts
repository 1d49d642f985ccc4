import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { beginning, entryHash, type LogRow } from '../../../gateway/store/chain.ts';
import { migrate, migrations } from '../../../gateway/store/schema.ts';
import { openStore } from '../../../gateway/store/store.ts';
import { temporary } from '../store/support.ts';
import { fill, look, openGateway, tamper } from './support.ts';

let whole: string;
let rows: LogRow[];

beforeAll(() => {
  whole = mkdtempSync('/tmp/whetstone-audit-');
  fill(whole);
  const { store } = openGateway(whole);
  rows = store.journal.rows(0, -1);
  store.close();
  return () => rmSync(whole, { recursive: true });
});

/** A copy of the folder, changed. */
function changed(change: (db: DatabaseSync, directory: string) => void): string {
  const directory = temporary();
  cpSync(whole, directory, { recursive: true });
  tamper(directory, (db) => change(db, directory));
  return directory;
}

const insert = 'INSERT INTO events (id, at, kind, subject, data, hash) VALUES (?, ?, ?, ?, ?, ?)';

/** Computes every hash again, as one who knows how it is done. */
function forge(db: DatabaseSync): void {
  const { value } = db.prepare("SELECT value FROM meta WHERE name = 'gateway'").get() as {
    value: string;
  };
  let hash = beginning(value);
  for (const row of db.prepare('SELECT * FROM events ORDER BY id').all() as unknown as LogRow[]) {
    hash = entryHash(hash, row);
    db.prepare('UPDATE events SET hash = ? WHERE id = ?').run(hash, row.id);
  }
}

/** Another value of the same type: one byte, or a thousand, away. */
function other(value: unknown, at: number): string | number | Uint8Array {
  if (typeof value === 'number') return value + 1000;
  if (typeof value === 'string') {
    const bytes = [...value];
    if (bytes.length === 0) return 'x';
    const k = at % bytes.length;
    return bytes.with(k, bytes[k] === 'x' ? 'y' : 'x').join('');
  }
  const bytes = Uint8Array.from(value as Uint8Array);
  const k = at % bytes.length;
  bytes[k] = (bytes[k] as number) ^ 1;
  return bytes;
}

describe('verifyStore()', () => {
  test('finds nothing in a store that nobody touched, and says what it covers', () => {
    const found = look(whole);
    expect(found.problems).toEqual([]);
    expect(found).toMatchObject({ ok: true, models: 2, releases: 2, keys: 2, notes: [] });
    expect(found.signed?.entry).toBe(found.entries);
    expect(found.entries).toBe(rows.length);
    expect(look(whole, found.head.hash).ok).toBe(true);
    expect(
      look(
        whole,
        Buffer.from((rows[4] as LogRow).hash)
          .toString('hex')
          .slice(0, 16),
      ).ok,
    ).toBe(true);
  });

  test('finds a changed value in any column of any entry, and names the entry', () => {
    const columns = ['id', 'at', 'kind', 'subject', 'data', 'hash'] as const;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: rows.length - 1 }),
        fc.constantFrom(...columns),
        fc.nat(),
        (k, column, at) => {
          const row = rows[k] as LogRow;
          const directory = changed((db) => {
            const value = column === 'id' ? row.id + 1000 : other(row[column], at);
            db.prepare(`UPDATE events SET ${column} = ? WHERE id = ?`).run(value, row.id);
          });
          const { ok, problems } = look(directory);
          expect(ok).toBe(false);
          expect(problems[0]).toMatchObject({ what: 'log', entry: row.id });
        },
      ),
      { numRuns: 60, seed: 5 },
    );
  });

  test('finds an entry that was removed, put in, or that changed places', () => {
    for (const k of [0, 5, rows.length - 2]) {
      const row = rows[k] as LogRow;
      const next = rows[k + 1] as LogRow;
      const gone = changed((db) => db.prepare('DELETE FROM events WHERE id = ?').run(row.id));
      expect(look(gone).problems[0]).toMatchObject({ what: 'log', entry: row.id });

      const closed = changed((db) => {
        db.prepare('DELETE FROM events WHERE id = ?').run(row.id);
        db.prepare('UPDATE events SET id = id - 1 WHERE id > ?').run(row.id);
      });
      expect(look(closed).problems[0]).toMatchObject({ what: 'log', entry: row.id });

      const swapped = changed((db) => {
        db.prepare('UPDATE events SET id = 0 WHERE id = ?').run(row.id);
        db.prepare('UPDATE events SET id = ? WHERE id = ?').run(row.id, next.id);
        db.prepare('UPDATE events SET id = ? WHERE id = 0').run(next.id);
      });
      expect(look(swapped).problems[0]).toMatchObject({ what: 'log', entry: row.id });

      const more = changed((db) => {
        db.prepare('UPDATE events SET id = -id - 1 WHERE id >= ?').run(row.id);
        db.prepare('UPDATE events SET id = -id WHERE id < 0').run();
        db.prepare(insert).run(row.id, 5000, 'label.added', 'w1', '{}', row.hash);
      });
      expect(look(more).problems[0]).toMatchObject({ what: 'log', entry: row.id });
    }
  });

  test('finds that the tail was cut off, by what is signed, beside the store, or noted', () => {
    const last = rows.at(-1) as LogRow;
    const cut = (db: DatabaseSync) => {
      db.prepare('DELETE FROM events WHERE id > ?').run(last.id - 4);
      db.exec(`UPDATE sqlite_sequence SET seq = ${last.id - 4} WHERE name = 'events'`);
    };
    const first = { what: 'log', entry: last.id - 3 };
    const events = changed(cut);
    expect(look(events).problems[0]).toMatchObject(first);
    expect(look(events).problems[0]?.why).toContain(`#${last.id} had been signed`);

    const heads = changed((db) => {
      cut(db);
      db.prepare('DELETE FROM heads WHERE event > ?').run(last.id - 4);
    });
    expect(look(heads).problems[0]?.why).toContain(`the head beside the store is of #${last.id}`);

    // everything cut alike: nothing on this disk shows it, the noted hash does
    const noted = look(whole).head.hash;
    const back = temporary();
    cpSync(whole, back, { recursive: true });
    const { store, sealer } = openGateway(back);
    store.journal.write('label.added', 'w1', {}, 5000);
    sealer.seal();
    store.close();
    const newer = look(back).head.hash;
    expect(look(whole).ok).toBe(true);
    expect(look(whole, newer).problems[0]?.why).toContain('no entry has the noted hash');
    expect(look(back, noted).ok).toBe(true);

    const short = changed((db) => db.prepare('DELETE FROM events WHERE id = ?').run(last.id));
    expect(look(short).problems[0]?.why).toContain(`cut off behind #${last.id - 1}`);
  });

  test('finds a log whose hashes were all computed again, and says from where on', () => {
    const directory = changed((db) => {
      db.prepare("UPDATE events SET data = '{}' WHERE id = 20").run();
      forge(db);
    });
    const [problem] = look(directory).problems;
    expect(problem).toMatchObject({ what: 'log' });
    expect(problem?.why).toContain('made anew');
    expect(problem?.entry).toBeLessThanOrEqual(20);
  });

  test('finds a change in every column of what the log and signatures stand for', () => {
    const tables: [string, string, string[]][] = [
      ['models', 'version', []],
      ['releases', 'release', []],
      ['signers', 'id', []],
      ['heads', 'event', []],
      ['stages', 'id', ['id']],
      ['parts', 'sha256', []],
      ['meta', 'name', ['name']],
    ];
    const db = new DatabaseSync(join(whole, 'store.db'));
    const cells = tables.flatMap(([table, key, without]) =>
      db
        .prepare(`SELECT * FROM ${table}`)
        .all()
        // the store's name is what the chain begins with; other marks say nothing of the past
        .filter((row) => table !== 'meta' || row.name === 'gateway')
        .flatMap((row) =>
          Object.entries(row)
            .filter(([column, value]) => value !== null && !without.includes(column))
            .filter(([, value]) => !(value instanceof Uint8Array && value.length === 0))
            .map(([column, value]) => ({ table, key, column, value, id: row[key] as string })),
        ),
    );
    db.close();
    const missed = cells.filter(({ table, key, column, value, id }) => {
      const directory = changed((made) =>
        made.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`).run(other(value, 3), id),
      );
      return look(directory).ok;
    });
    expect(missed.map(({ table, column }) => `${table}.${column}`)).toEqual([]);
    expect(cells.length).toBeGreaterThan(70);
    for (const table of ['models', 'releases', 'signers', 'stages', 'parts']) {
      const directory = changed((made) =>
        made.exec(`DELETE FROM ${table} WHERE rowid = (SELECT max(rowid) FROM ${table})`),
      );
      expect(look(directory).ok, table).toBe(false);
    }
  });

  test('takes a restored backup for one only where the log says so, and a damaged file for none', () => {
    const directory = temporary();
    cpSync(whole, directory, { recursive: true });
    const newer = openGateway(directory);
    for (let i = 0; i < 9; i++) newer.store.journal.write('label.added', 'w1', {}, 5000);
    newer.sealer.seal();
    newer.store.close();
    const back = (told: boolean): string => {
      const other = temporary();
      cpSync(directory, other, { recursive: true });
      cpSync(join(whole, 'store.db'), join(other, 'store.db'));
      expect(look(other).problems[0]?.why).toContain('cut off or made anew');
      if (told) {
        const store = openStore({ directory: other });
        store.journal.write('store.restored', 'a backup', {}, 5000);
        store.close();
      }
      // what is signed from then on hides nothing
      const { store, sealer } = openGateway(other);
      sealer.seal();
      store.close();
      return other;
    };
    expect(look(back(false)).problems[0]?.why).toContain('tells that entry');
    expect(look(back(true))).toMatchObject({ ok: true, problems: [] });

    cpSync(whole, directory, { recursive: true });
    writeFileSync(join(directory, 'audit-head.json'), 'x');
    expect(look(directory).problems[0]?.why).toContain('damaged');
  });

  test('tells of a log that was made anew while the gateway was away, with all its heads gone', () => {
    const directory = changed((db, at) => {
      db.prepare("UPDATE events SET data = '{}' WHERE id = 20").run();
      forge(db);
      db.exec('DELETE FROM heads');
      rmSync(join(at, 'audit-head.json'));
    });
    expect(look(directory).problems[0]?.why).toContain('no signed head');
    const { store } = openGateway(directory); // it signs what it finds, but not in silence
    store.close();
    expect(look(directory).problems[0]?.why).toContain('no signed head of it is left');
  });

  test('notes what is not signed yet, and the log tells of a gateway that was killed', () => {
    const directory = temporary();
    cpSync(whole, directory, { recursive: true });
    const first = openGateway(directory);
    first.store.journal.write('label.added', 'w1', {}, 5000);
    first.store.close();
    expect(look(directory)).toMatchObject({ ok: true, notes: ['1 entries are not signed yet'] });
    const second = openGateway(directory);
    expect(second.store.journal.find({ kind: 'log.unsigned' })[0]?.data).toEqual({
      ...{ from: rows.length + 1, to: rows.length + 1 },
    });
    second.sealer.seal();
    second.store.close();
    expect(look(directory)).toMatchObject({ ok: true });
    expect(look(directory).notes[0]).toContain('were not signed when the gateway had ended');
  });

  test('takes a log that was not chained as it stands when the store is migrated', () => {
    const directory = temporary();
    const db = new DatabaseSync(join(directory, 'store.db'));
    migrate(db, migrations.slice(0, 2));
    db.exec("INSERT INTO meta VALUES ('gateway', 'an old one')");
    const write = db.prepare('INSERT INTO events (at, kind, subject, data) VALUES (?, ?, ?, ?)');
    db.exec('BEGIN');
    for (let i = 0; i < 2345; i++) write.run(i, 'label.added', `w${i}`, '{}');
    db.exec('COMMIT');
    db.close();
    expect(() => look(directory)).toThrow(/has schema 2/);
    const { store, sealer } = openGateway(directory);
    sealer.seal();
    store.close();
    expect(look(directory)).toMatchObject({ ok: true, entries: 2346, problems: [] });
    tamper(directory, (made) => made.exec("UPDATE events SET subject = 'w9' WHERE id = 1234"));
    expect(look(directory).problems[0]).toMatchObject({ what: 'log', entry: 1234 });
  });
});
