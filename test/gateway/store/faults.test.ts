import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../../gateway/store/store.ts';
import { sample, temporary, testStore } from './support.ts';

const writer = join(import.meta.dirname, 'writer.ts');

function startWriter(directory: string, session: number): { child: ChildProcess; acked: number[] } {
  const child = spawn(process.execPath, [writer, directory, String(session)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acked: number[] = [];
  let rest = '';
  child.stdout?.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() as string;
    acked.push(...lines.filter((line) => line !== 'open').map(Number));
  });
  return { child, acked };
}

const gone = (child: ChildProcess) => new Promise((resolve) => child.on('close', resolve));

describe('a store whose process is killed', () => {
  test('add() has stored every acknowledged sample, at 10 random moments', async () => {
    const directory = temporary();
    let seed = 20;
    let total = 0;
    for (let session = 1; session <= 10; session++) {
      const { child, acked } = startWriter(directory, session);
      await new Promise((resolve) => child.stdout?.once('data', resolve));
      seed = (seed * 75 + 74) % 65537;
      await new Promise((resolve) => setTimeout(resolve, 1 + (seed % 60)));
      child.kill('SIGKILL');
      await gone(child);
      const store = testStore({ directory });
      const stored = new Map(store.samples.find({}).map((s) => [`${s.session}/${s.seq}`, s]));
      for (const seq of acked) {
        const found = stored.get(`${session}/${seq}`);
        expect(found?.window?.[149], `session ${session} seq ${seq}`).toBe(seq % 100);
      }
      expect(store.samples.progress('w1', session).acked).toBeGreaterThanOrEqual(acked.length);
      total += acked.length;
      store.close();
    }
    expect(total).toBeGreaterThan(100);
  });
});

describe('a data directory that is in use', () => {
  test('openStore() names the process that holds it', async () => {
    const directory = temporary();
    const { child } = startWriter(directory, 1);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    try {
      expect(() => openStore({ directory })).toThrow(
        expect.objectContaining({
          ...{ code: 'in-use' },
          message: `data directory ${directory} is in use by process ${child.pid}`,
        }),
      );
    } finally {
      child.kill('SIGKILL');
    }
    await gone(child);
    testStore({ directory });
  });

  test('openStore() refuses a second store in the same process, until the first is closed', () => {
    const directory = temporary();
    const first = testStore({ directory });
    expect(() => openStore({ directory })).toThrow(
      expect.objectContaining({ message: expect.stringContaining(`process ${process.pid}`) }),
    );
    first.close();
    testStore({ directory });
  });
});

describe('a full disk', () => {
  test('add() acknowledges nothing, reading goes on, and room ends it by itself', async () => {
    // As a disk that is full: SQLite may not use another page. The store opens its own connection,
    // so the limit is set on that one, as it comes to be.
    let limit = (_pages: number) => {};
    const exec = DatabaseSync.prototype.exec;
    DatabaseSync.prototype.exec = function (sql: string) {
      limit = (pages) => exec.call(this, `PRAGMA max_page_count = ${pages}`);
      return exec.call(this, sql);
    };
    const directory = temporary();
    const store = testStore({ directory, now: () => 77 });
    DatabaseSync.prototype.exec = exec;
    const big = (seq: number) => sample({ seq, window: new Int8Array(3000).fill(seq) });
    await store.samples.add(big(1));
    limit(1);
    const outcomes = await Promise.allSettled(
      [2, 3, 4, 5].map((seq) => store.samples.add(big(seq))),
    );
    expect(outcomes.map((o) => o.status === 'rejected' && o.reason.code)).toEqual([
      ...['disk-full', 'disk-full', 'disk-full', 'disk-full'],
    ]);
    expect(store.fullSince).toBe(77);
    expect(store.samples.find({}).map((s) => s.seq)).toEqual([1]);
    expect(store.samples.progress('w1', 7).acked).toBe(1);
    limit(10_000);
    expect(await store.samples.add(big(2))).toBe('new');
    expect(store.fullSince).toBeUndefined();
    expect(store.journal.find({ kind: 'store.full' })[0].data).toEqual({ since: 77, refused: 4 });
    store.close();
    expect(
      testStore({ directory })
        .samples.find({})
        .map((s) => s.seq),
    ).toEqual([1, 2]);
  });
});
