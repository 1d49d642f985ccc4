import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { migrate, migrations, schemaVersion } from '../../../gateway/store/schema.ts';
import { openStore } from '../../../gateway/store/store.ts';
import { sample, temporary, testStore } from './support.ts';

describe('openStore()', () => {
  test('opens again what it wrote, under the same name of the gateway', async () => {
    const directory = temporary();
    const first = testStore({ directory });
    await first.samples.add(sample());
    first.close();
    const second = testStore({ directory });
    expect(second.gateway).toBe(first.gateway);
    expect(second.counts().samples).toBe(1);
  });

  test('close() commits what waits', () => {
    const directory = temporary();
    const first = testStore({ directory, schedule: () => {} });
    void first.samples.add(sample());
    first.close();
    expect(testStore({ directory }).counts().samples).toBe(1);
  });

  test('syncs each group: synchronous is FULL and the journal is WAL', () => {
    const directory = temporary();
    const statements: string[] = [];
    const exec = DatabaseSync.prototype.exec;
    DatabaseSync.prototype.exec = function (sql: string) {
      statements.push(sql);
      return exec.call(this, sql);
    };
    try {
      testStore({ directory });
    } finally {
      DatabaseSync.prototype.exec = exec;
    }
    expect(statements.join()).toMatch(/journal_mode = WAL.*synchronous = FULL/s);
  });

  test('readOnly looks beside the one that writes, and cannot write', async () => {
    const directory = temporary();
    const store = testStore({ directory });
    await store.samples.add(sample());
    const reader = testStore({ directory, readOnly: true });
    expect(reader.counts().samples).toBe(1);
    await expect(reader.samples.add(sample({ seq: 2 }))).rejects.toMatchObject({ code: 'store' });
  });

  test('readOnly says when there is no store', () => {
    const directory = temporary();
    expect(() => openStore({ directory, readOnly: true })).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });

  test('says so when the directory cannot be made', () => {
    expect(() => openStore({ directory: '/dev/null/here' })).toThrow(
      expect.objectContaining({
        code: 'store',
        message: 'cannot write data directory /dev/null/here: a file is in its place',
      }),
    );
    expect(() => openStore({ directory: '' })).toThrow("cannot write data directory ''");
  });
});

describe('migrate()', () => {
  test('does every step or none', () => {
    const db = new DatabaseSync(':memory:');
    expect(() =>
      migrate(db, [...migrations, 'CREATE TABLE more (a INTEGER) STRICT; nonsense']),
    ).toThrow();
    expect(schemaVersion(db)).toBe(0);
    expect(
      db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table'").get(),
    ).toEqual({
      n: 0,
    });
    expect(migrate(db)).toEqual({ from: 0, to: migrations.length });
    expect(migrate(db)).toEqual({ from: migrations.length, to: migrations.length });
  });

  test('takes an older store further and keeps its rows', () => {
    const db = new DatabaseSync(':memory:');
    migrate(db);
    db.exec("INSERT INTO meta VALUES ('gateway', 'here')");
    const next = [...migrations, 'ALTER TABLE meta ADD COLUMN more TEXT'];
    expect(migrate(db, next)).toEqual({ from: migrations.length, to: migrations.length + 1 });
    expect(db.prepare('SELECT value, more FROM meta').get()).toEqual({ value: 'here', more: null });
  });

  test('refuses a store that a newer Whetstone wrote', () => {
    const db = new DatabaseSync(':memory:');
    db.exec('PRAGMA user_version = 99');
    expect(() => migrate(db)).toThrow(expect.objectContaining({ code: 'store' }));
  });
});

describe('journal', () => {
  test('find() returns what write() wrote, by kind, subject and order', () => {
    const { journal } = testStore();
    journal.write('label.added', 'w1', { count: 2 }, 10);
    journal.write('alarm.raised', 'w2', {}, 20);
    journal.write('alarm.raised', 'w1', {}, 30);
    expect(journal.find({ kind: 'alarm.raised' }).map((e) => e.subject)).toEqual(['w2', 'w1']);
    expect(journal.find({ subject: 'w1', order: 'newest', limit: 1 })[0].at).toBe(30);
    expect(journal.find({ since: 20, afterId: 2 }).map((e) => e.id)).toEqual([3]);
    expect(journal.find()[0].data).toEqual({ count: 2 });
  });

  test('nothing changes or removes an event', () => {
    const directory = temporary();
    const store = testStore({ directory });
    store.journal.write('label.added', 'w1', {}, 10);
    store.close();
    const db = new DatabaseSync(join(directory, 'store.db'));
    expect(() => db.exec('DELETE FROM events')).toThrow(/append-only/);
    expect(() => db.exec('UPDATE events SET at = 0')).toThrow(/append-only/);
    db.close();
  });
});

describe('transaction()', () => {
  test('keeps all of its writes or none, and lets the error through', () => {
    const store = testStore();
    expect(() =>
      store.transaction(() => {
        store.journal.write('label.added', 'w1', {}, 10);
        throw new TypeError('mistake');
      }),
    ).toThrow(TypeError);
    expect(store.journal.find()).toEqual([]);
  });
});

describe('devices', () => {
  const hello = {
    ...{ id: 'w1', board: 'b', task: 'gesture', tier: 'convolve', session: 7, release: 3 },
    ...{ version: 'v3', state: 1, at: 100 },
  };

  test('hello() and runs() keep the history of what ran', () => {
    const { devices } = testStore();
    expect(devices.hello(hello)).toEqual({ first: true, restarted: false });
    expect(devices.hello({ ...hello, session: 8, at: 200 })).toEqual({
      ...{ first: false, restarted: true },
    });
    devices.runs('w1', 4, 'v4', 2, 300);
    devices.runs('w1', 4, 'v4', 1, 400);
    expect(devices.history('w1')).toEqual([
      { device: 'w1', release: 3, version: 'v3', from: 100, to: 300 },
      { device: 'w1', release: 4, version: 'v4', from: 300, to: null },
    ]);
    expect(devices.get('w1')).toMatchObject({
      firstSeen: 100,
      lastSeen: 400,
      state: 1,
      session: 8,
    });
  });

  test('list() and setCohort() group devices', () => {
    const { devices } = testStore();
    devices.hello(hello);
    devices.hello({ ...hello, id: 'w2' });
    devices.setCohort('w2', 'left');
    expect(devices.list({ cohort: 'left' }).map((d) => d.id)).toEqual(['w2']);
    expect(devices.list({ task: 'gesture' })).toHaveLength(2);
    devices.hello({ ...hello, id: 'w2' });
    expect(devices.get('w2')?.cohort).toBe('left');
    expect(() => devices.setCohort('w3', 'left')).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });
});

describe('erase()', () => {
  const filesHold = (directory: string, marker: string) =>
    readdirSync(directory).some((file) =>
      readFileSync(join(directory, file)).includes(Buffer.from(marker)),
    );

  test("removes a device's data from the disk and names the versions that knew it", async () => {
    const directory = temporary();
    const store = testStore({ directory });
    const marker = 'private-motion';
    const window = new Int8Array(Buffer.from(marker));
    await store.samples.add(sample({ window, label: 1 }));
    await store.samples.add(sample({ device: 'w2', label: 2 }));
    const mine = store.catalogue.addSnapshot(store.samples.labelled({ device: 'w1' }), 1);
    const other = store.catalogue.addSnapshot(store.samples.labelled({ device: 'w2' }), 1);
    const model = (version: string, parent: string | null, snapshot: string) =>
      store.catalogue.addModel({
        ...{ version, parent, snapshot, manifest: none, signature: none, report: '{}' },
        ...{
          task: 'gesture',
          scopeKind: 'fleet',
          scopeId: '',
          stage: 'candidate',
          at: 1,
          signer: null,
        },
      });
    model('a', null, mine);
    model('b', 'a', other);
    model('c', null, other);
    expect(filesHold(directory, marker)).toBe(true);
    expect(store.erase({ device: 'w1' })).toEqual({
      ...{ samples: 1, labels: 1, trained: ['a'], descended: ['b'] },
    });
    expect(filesHold(directory, marker)).toBe(false);
    expect(store.counts()).toMatchObject({ samples: 1, labelled: 1 });
    expect(store.journal.find({ kind: 'store.erased' })[0].data).toMatchObject({ samples: 1 });
  });

  test('removes only the time that is asked for', async () => {
    const store = testStore();
    for (const at of [10, 20, 30]) await store.samples.add(sample({ seq: at, at, label: 1 }));
    expect(store.erase({ device: 'w1', since: 20, until: 30 })).toMatchObject({ samples: 1 });
    expect(store.samples.find({}).map((s) => s.at)).toEqual([10, 30]);
  });
});

const none = new Uint8Array(0);
