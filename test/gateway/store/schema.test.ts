import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { migrations } from '../../../gateway/store/schema.ts';
import { openStore } from '../../../gateway/store/store.ts';
import { cutStatements } from './cut.ts';
import { temporary, testStore } from './support.ts';
import { contentsOf } from './whole.ts';

/** SHA-256 of each released step, first 16 digits; a step that is code is held by its stores alone. */
const released = [
  'a983ba3ce0ae574d',
  '548dd6489fae79eb',
  'd6cc649982db2526',
  'code',
  '77acba6b1d6a1845',
  '23c558e5d8383e2d',
];

const fixture = (schema: number) => join(import.meta.dirname, `schemas/schema-${schema}.sql`);
const earlier = migrations.map((_, i) => i + 1);

type Tables = Record<string, Record<string, unknown>[]>;

interface Dump {
  schema: number;
  tables: Tables;
}

/** Every row of every table, and the schema. */
function dump(directory: string): Dump {
  const db = new DatabaseSync(join(directory, 'store.db'));
  const all = (sql: string) => db.prepare(sql).all() as Record<string, never>[];
  const tables: Tables = {};
  for (const { name } of all("SELECT name FROM sqlite_schema WHERE type = 'table'")) {
    tables[name] = all(`SELECT * FROM "${name}"`);
  }
  const schema = all('PRAGMA user_version')[0]!.user_version as number;
  db.close();
  return { schema, tables };
}

/** A store of an earlier schema; 0 is a folder without one. */
function storeOf(schema: number): string {
  const directory = temporary();
  if (schema === 0) return directory;
  const db = new DatabaseSync(join(directory, 'store.db'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF');
  db.exec(readFileSync(fixture(schema), 'utf8'));
  db.close();
  return directory;
}

/** Rows of before, in their own columns, are all there. */
function expectKept(before: Tables, after: Tables): void {
  for (const [name, rows] of Object.entries(before)) {
    const kept = after[name]!.map((row) =>
      Object.fromEntries(Object.keys(rows[0] ?? {}).map((column) => [column, row[column]])),
    );
    // when it was last looked through is rewritten by each opening
    const lasting = rows.filter((row) => name !== 'meta' || row.name !== 'checked');
    expect(kept, name).toEqual(expect.arrayContaining(lasting));
  }
}

describe('migrations', () => {
  test('a step that was released is not changed', () => {
    const hashes = migrations.map((step: unknown) =>
      typeof step === 'string'
        ? createHash('sha256').update(step).digest('hex').slice(0, 16)
        : 'code',
    );
    expect(hashes, 'a new step: add its hash, and a store of it by schemas/make.ts').toEqual(
      released,
    );
  });

  test.each(earlier)('there is a store of schema %i', (schema) => {
    expect(existsSync(fixture(schema)), 'make it: test/gateway/store/schemas/make.ts').toBe(true);
    expect(dump(storeOf(schema)).schema).toBe(schema);
  });

  test.each(earlier)('a store of schema %i keeps all that is in it, and is read', (schema) => {
    const directory = storeOf(schema);
    const before = dump(directory);
    const store = testStore({ directory });
    const contents = contentsOf(store);
    expect(contents).toMatchObject({
      ...{ gateway: before.tables.meta![0]!.value, monitor: { seen: [1, 2, 3], text: 'mönitor' } },
      models: [{ version: 'v', part: Buffer.from('a part of a model').toString('hex') }],
      devices: [{ id: 'w1', progress: { acked: 6, highest: 6 } }, { cohort: 'left' }],
      rollouts: [{ id: 'r1', active: true }],
    });
    const samples = contents.samples as {
      window: number[] | null;
      label: { cls: number } | null;
    }[];
    expect(samples.map(({ window }) => window?.[29])).toEqual([-21, 8, 37, 66, undefined, 124]);
    expect(samples.slice(0, 2).map(({ label }) => label?.cls)).toEqual([2, 4]);
    expect(store.damage()).toEqual([]);
    store.close();
    const after = dump(directory);
    expect(after.schema).toBe(migrations.length);
    expectKept(before.tables, after.tables);
  });
});

describe('openStore(), cut before any statement', () => {
  const known = [0, ...earlier];
  const thrower = () => {
    throw new Error('cut');
  };

  const before = (schema: number): Dump =>
    schema === 0 ? { schema: 0, tables: {} } : dump(storeOf(schema));

  /** The store of before or the new one, nothing between; then it opens. */
  function expectOneOf(directory: string, schema: number, old: Dump): number {
    const left = existsSync(join(directory, 'store.db')) ? dump(directory) : undefined;
    if (left === undefined || left.schema === schema) {
      const { meta, ...tables } = left?.tables ?? {};
      const { meta: _, ...others } = old.tables;
      if (schema < migrations.length) expect(left?.tables ?? {}).toEqual(old.tables);
      else expectKept(others, tables);
    } else {
      expect(left.schema).toBe(migrations.length);
      expectKept(old.tables, left.tables);
      expect(left.tables.meta!.map(({ name }) => name)).toContain('gateway');
    }
    openStore({ directory }).close();
    expectKept(old.tables, dump(directory).tables);
    return left?.schema ?? 0;
  }

  test.each(known)('by an error, from schema %i: the old store or the new one, whole', (schema) => {
    const old = before(schema);
    const ended: number[] = [];
    const counting = cutStatements(Infinity, () => {});
    openStore({ directory: storeOf(schema) }).close();
    counting.end();
    const last = counting.count();
    // the steps of schema 0 are those of all others: of these one statement in four, and the last
    const every = schema === 0 ? 1 : 4;
    for (let at = 1; at <= last; at = at < last ? Math.min(at + every, last) : last + 1) {
      const directory = storeOf(schema);
      const cut = cutStatements(at, thrower);
      try {
        openStore({ directory }).close();
      } catch (error) {
        const { message, cause } = error as Error & { cause?: Error };
        expect([message, cause?.message]).toContain('cut');
      } finally {
        cut.end();
      }
      ended.push(expectOneOf(directory, schema, old));
    }
    expect(ended.length).toBeGreaterThan(schema === 0 ? 30 : 2);
    expect([ended[0], ended.at(-1)]).toEqual([schema, migrations.length]);
  });

  test.each(known)('by kill -9, from schema %i: the same', { timeout: 180_000 }, (schema) => {
    const untouched = storeOf(schema);
    const counting = cutStatements(Infinity, () => {});
    openStore({ directory: untouched }).close();
    counting.end();
    const old = before(schema);
    const script = join(import.meta.dirname, 'open-killed.ts');
    // one statement in nine: that every one is a good place to end is shown above
    for (let at = 1 + (schema % 9); at <= counting.count(); at += 9) {
      const directory = storeOf(schema);
      const child = spawnSync(process.execPath, [script, directory, String(at)]);
      expect(child.signal, String(child.stderr)).toBe('SIGKILL');
      expectOneOf(directory, schema, old);
    }
  });
});
