import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { storeFailure } from '../../gateway/store/failure.ts';
import { temporary, testStore } from '../gateway/store/support.ts';
import { sample } from '../gateway/store/support-sample.ts';

describe('a disk that becomes read-only', () => {
  it('acknowledges nothing, reading goes on, and it ends by itself', async () => {
    // SQLite answers as it does when the system refuses a write: SQLITE_READONLY
    const { exec } = DatabaseSync.prototype;
    const opened: DatabaseSync[] = [];
    DatabaseSync.prototype.exec = function (sql: string) {
      opened.push(this);
      return exec.call(this, sql);
    };
    const directory = temporary();
    const store = testStore({ directory, now: () => 77 });
    DatabaseSync.prototype.exec = exec;
    const set = (on: string) => opened.at(-1)!.exec(`PRAGMA query_only = ${on}`);
    await store.samples.add(sample({ seq: 1 }));
    set('ON');
    const outcomes = await Promise.allSettled(
      [2, 3].map((seq) => store.samples.add(sample({ seq }))),
    );
    expect(outcomes.map((o) => o.status === 'rejected' && o.reason.code)).toEqual([
      ...['disk-read-only', 'disk-read-only'],
    ]);
    expect(store.fullSince).toBe(77);
    expect(store.samples.find({}).map(({ seq }) => seq)).toEqual([1]);
    expect(store.samples.progress('w1', 7).acked).toBe(1);
    set('OFF');
    expect(await store.samples.add(sample({ seq: 2 }))).toBe('new');
    expect(store.fullSince).toBeUndefined();
    const [event] = store.journal.find({ kind: 'store.readonly' });
    expect(event?.data).toEqual({ since: 77, refused: 2 });
  });

  it.each([
    ['write', 778],
    ['fsync', 1034],
    ['truncate', 1546],
    ['shared memory', 4618],
    ['read-only directory', 8 + 6 * 256],
    ['a log that cannot be opened', 14],
  ])('is told from damage when it fails at: %s', (_where, errcode) => {
    const cause = Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode });
    expect(storeFailure(cause, '/data', true)).toMatchObject({ code: 'disk-read-only' });
  });
});

describe('a disk that is read-only at the start', () => {
  const program = join(import.meta.dirname, '../../gateway/cli/whetstone.js');
  const canMount =
    spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs none /mnt']).status === 0;

  it('is refused in one line, and works when it is writable again', (context) => {
    if (!canMount) return context.skip('skipped: this user may not mount a disk of its own');
    const disk = join(temporary(), 'disk');
    mkdirSync(disk);
    const node = `"${process.execPath}"`;
    const once = `${node} "${join(import.meta.dirname, 'start-once.ts')}" ${disk}/data`;
    const start = `${node} "${program}" start --virtual 0 --http-port 0 --data-dir ${disk}/data`;
    const script = `mount -t tmpfs none ${disk}; ${once}; echo first $?
      mount -o remount,ro ${disk}; ${start} 2>&1; echo second $?
      mount -o remount,rw ${disk}; ${once}; echo third $?`;
    const { stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script]);
    const lines = String(stdout).trim().split('\n');
    expect(lines[0], String(stderr)).toBe('first 0');
    expect(lines[1]).toMatch(
      /^whetstone: data directory .* is on a read-only disk \(make the disk/,
    );
    expect(lines.slice(2)).toEqual(['second 1', 'third 0']);
  }, 120_000);
});
