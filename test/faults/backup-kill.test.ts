import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSigner } from '../../gateway/registry/signing.ts';
import { restore } from '../../gateway/restoring.ts';
import { writeBackup } from '../../gateway/store/backup.ts';
import { readContents } from '../../gateway/store/restore.ts';
import { openStore } from '../../gateway/store/store.ts';
import { temporary } from '../gateway/store/support.ts';
import { sample } from '../gateway/store/support-sample.ts';
import { fillStore } from '../gateway/store/whole.ts';

const folder = join(import.meta.dirname, '../gateway/store');
const program = join(import.meta.dirname, '../../gateway/cli/whetstone.js');

interface Whole {
  gateway: string;
  seqs: number[];
  publicKey: string;
}

/** What a directory holds, opened as the gateway opens it: name, windows and key of one store. */
function wholeOf(directory: string): Whole {
  const store = openStore({ directory });
  const seqs = store.samples.find({}).map(({ seq }) => seq);
  expect(store.damage()).toEqual([]);
  const { gateway } = store;
  const { id: publicKey } = openSigner(join(directory, 'key.pem'), store.vault).current;
  store.close();
  return { gateway, seqs, publicKey };
}

async function directoryWith(fill: 'all' | 'one'): Promise<{ directory: string; whole: Whole }> {
  const directory = join(temporary(), 'data');
  const store = openStore({ directory });
  if (fill === 'all') await fillStore(store);
  else await store.samples.add(sample({ seq: 42 }));
  store.close();
  openSigner(join(directory, 'key.pem'));
  return { directory, whole: wholeOf(directory) };
}

/** Runs it, killed before the n-th change of a file. @returns whether it was */
function isKilled(
  verb: 'backup' | 'restore',
  path: string,
  directory: string,
  at: number,
): boolean {
  const script = join(folder, 'backup-killed.ts');
  const child = spawnSync(process.execPath, [script, verb, path, directory, String(at)]);
  if (child.signal === null) expect(child.status, String(child.stderr)).toBe(0);
  return child.signal === 'SIGKILL';
}

describe('whetstone restore, killed', () => {
  it('leaves the old store or the new one, whole, at every change of a file', {
    timeout: 180_000,
  }, async () => {
    const from = await directoryWith('all');
    const before = await directoryWith('one');
    const path = join(temporary(), 'a.backup');
    writeBackup(from.directory, path, 7000);
    const found: string[] = [];
    for (let at = 1; ; at++) {
      const directory = join(temporary(), 'data');
      cpSync(before.directory, directory, { recursive: true });
      if (!isKilled('restore', path, directory, at)) break;
      const whole = wholeOf(directory);
      const isNew = whole.gateway === from.whole.gateway;
      found.push(isNew ? 'new' : 'old');
      expect(whole).toEqual(isNew ? from.whole : before.whole);
      expect(readdirSync(directory).filter((name) => name.startsWith('restore'))).toEqual([]);
      // and it can be done again
      if (at % 5 === 0) restore({ path, directory, replace: true, now: () => 9000 });
    }
    expect(found.length).toBeGreaterThan(15);
    expect([found[0], found.at(-1)]).toEqual(['old', 'new']);
    expect(found.indexOf('new')).toBe(found.lastIndexOf('old') + 1);
  });
});

describe('whetstone backup', () => {
  it('killed at every change of a file, leaves no file of its name that is not whole', {
    timeout: 120_000,
  }, async () => {
    const { directory, whole } = await directoryWith('all');
    const ended: boolean[] = [];
    for (let at = 1; ; at++) {
      const path = join(temporary(), 'a.backup');
      if (!isKilled('backup', path, directory, at)) break;
      ended.push(existsSync(path));
      if (existsSync(path)) expect(readContents(path).gateway).toBe(whole.gateway);
      else writeBackup(directory, path, 7000); // over what the killed one left
      expect(wholeOf(directory)).toEqual(whole);
    }
    expect(ended.length).toBeGreaterThan(5);
    expect([ended[0], ended.at(-1)]).toEqual([false, true]);
  });

  it('of a gateway that stores windows all the time holds all that was acknowledged before it', {
    timeout: 120_000,
  }, async () => {
    const directory = temporary();
    const writer = spawn(process.execPath, [join(folder, 'writer.ts'), directory, '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let acked = 0;
    writer.stdout.on('data', (chunk) => {
      for (const line of String(chunk).split('\n')) acked = Math.max(acked, Number(line) || 0);
    });
    try {
      const ends: number[] = [];
      for (let i = 0; i < 3; i++) {
        const from = acked;
        while (acked < from + 100) await new Promise((resolve) => setTimeout(resolve, 5));
        const before = acked;
        const path = join(temporary(), 'a.backup');
        const args = ['backup', path, '--data-dir', directory, '--json'];
        const child = spawn(process.execPath, [program, ...args], {
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        let out = '';
        child.stdout.on('data', (chunk) => (out += String(chunk)));
        expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
        expect(JSON.parse(out)).toMatchObject({ file: path, keyId: null });
        expect(acked).toBeGreaterThan(before); // it went on meanwhile
        const target = join(temporary(), 'data');
        const again = spawnSync(process.execPath, [program, 'restore', path, '--data-dir', target]);
        expect(again.status, String(again.stderr)).toBe(0);
        const store = openStore({ directory: target });
        const seqs = store.samples.find({}).map(({ seq }) => seq);
        expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, n) => n + 1));
        expect(seqs.length).toBeGreaterThanOrEqual(before);
        expect(store.samples.progress('w1', 1).acked).toBe(seqs.length);
        store.close();
        ends.push(seqs.length);
      }
      expect(ends.toSorted((a, b) => a - b)).toEqual(ends);
    } finally {
      writer.kill('SIGKILL');
    }
  });

  it('refuses in one line, and says what to do', () => {
    const directory = temporary();
    const file = join(directory, 'here');
    const none = spawnSync(process.execPath, [program, 'backup', file, '--data-dir', directory]);
    expect([none.status, String(none.stderr).split('\n').length]).toEqual([1, 2]);
    expect(String(none.stderr)).toMatch(/^whetstone: no store in .* \(name the data directory/);
  });
});
