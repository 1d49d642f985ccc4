import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../device/core/frame.ts';
import { pack, STATUS } from '../../device/core/messages.ts';
import {
  makeTarget,
  TARGETS,
  type TargetName,
} from '../../gateway/bench/faults/bytes/all-targets.ts';
import { minimise } from '../../gateway/bench/faults/bytes/minimise.ts';
import { mutated } from '../../gateway/bench/faults/bytes/mutate.ts';
import { runTarget } from '../../gateway/bench/faults/bytes/run-target.ts';
import { backupOf } from '../../gateway/bench/faults/bytes/targets/backups.ts';
import { createPair } from '../../gateway/bench/faults/bytes/targets/pair.ts';
import { SEED, SHORT_CASES } from '../../gateway/bench/faults/bytes.ts';
import { none } from '../../gateway/link/suites/none.ts';
import { readRecordings } from '../../gateway/recordings.ts';
import { openOnnx } from '../../gateway/runtimes/onnx.ts';
import { readContents } from '../../gateway/store/restore.ts';
import { loadTask, parseTask } from '../../gateway/task.ts';

/*
 * The short version of `whetstone bench faults --only bytes`: the first cases of the same seed.
 */

async function inFolder<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'bytes-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

describe('bad bytes', () => {
  it.each(Object.keys(TARGETS) as TargetName[])(
    `of %s are refused by name, and leave all else as it was`,
    async (target) => {
      const run = { target, seed: SEED, from: 0, to: SHORT_CASES };
      const { cases, failures } = await inFolder((directory) => runTarget(run, directory));
      expect(failures).toEqual([]);
      expect(cases).toBe(SHORT_CASES);
    },
    300_000,
  );

  it('are the same for a seed and an index, and others for another', () => {
    const corpus = [Uint8Array.from({ length: 50 }, (_, i) => i)];
    const at = (index: number) => mutated(corpus, [], 7, index).join();
    expect(at(3)).toBe(at(3));
    const all = Array.from({ length: 100 }, (_, index) => at(index));
    expect(new Set(all).size).toBeGreaterThan(80);
  });
});

describe('each target', () => {
  // of frames, a good one is what is behind each bad one; of messages, either end takes its own
  const readers = (Object.keys(TARGETS) as TargetName[]).filter((name) => !/ends$/.test(name));
  it.each(readers)('of %s takes what is good', async (name) => {
    await inFolder(async (directory) => {
      const target = await makeTarget(name, directory);
      for (const good of target.corpus) expect(await target.take(good)).toBe('taken');
      await target.close?.();
    });
  });
});

describe('what bad bytes have shown', () => {
  it('connect() keeps no count of releases that a device made up', async () => {
    const pair = await createPair();
    const known = pair.link.stats().wire.size;
    for (let release = 100; release < 200; release++) {
      pair.toGateway(encodeFrame(pack(STATUS, [release, 1, 0]), none.seal));
    }
    await pair.settle();
    expect(pair.link.stats().wire.size).toBe(known);
    await pair.end();
  });

  // zeros are their own CRC-32, and so are ones: a stuck line spoke in frames, of no message
  it.each(['AQEBAQEA', '//////////8A', 'Cv////////8A', 'Af//////////AA=='])(
    'neither end takes %s for a frame',
    async (base64) => {
      const pair = await createPair();
      const before = { said: pair.said(), ...pair.link.stats() };
      pair.toDevice(Buffer.from(base64, 'base64'));
      pair.toGateway(Buffer.from(base64, 'base64'));
      await pair.settle();
      const { framesIn, badFrames } = pair.link.stats();
      expect([framesIn, badFrames]).toEqual([before.framesIn, before.badFrames + 1]);
      await pair.settle(1000); // it tells that it has heard something bad
      expect(pair.said()).toBe(before.said + 1);
      await pair.end();
    },
  );

  it.each([
    ['an entry that is a number', (list: string) => list.replace(']}', ',9007199254740992]}')],
    ['an entry that is null', (list: string) => list.replace(']}', ',null]}')],
    ['two hashes', (list: string) => list.replace(/"sha256":("\w+")/, '"sha256":[$1,$1]')],
    ['no file', (list: string) => list.replace(/\[.*\]/, '[]')],
    ['nothing', () => 'null'],
  ])('readContents() refuses a list with %s by name', async (_, change) => {
    await inFolder(async (directory) => {
      const path = join(directory, 'a.backup');
      const damaged = (list: Uint8Array) => Buffer.from(change(Buffer.from(list).toString()));
      await writeFile(path, backupOf({ 'store.db': new Uint8Array(9) }));
      expect(readContents(path).files).toHaveLength(1);
      await writeFile(path, backupOf({ 'store.db': new Uint8Array(9) }, damaged));
      expect(() => readContents(path)).toThrow(/its list is damaged/);
    });
  });

  it('openOnnx() refuses by name what opens and does not run', async () => {
    // a dense layer, damaged: its input has no dimension left
    const file = Buffer.from(
      'CAASCQAAAAAAAAAAADrGAQogCgJpbgoBdxIDc3VtGgpzdW06TWF0TXVsIgZNYXRNdWwKGwoDc3VtCgFiEgNvdXQaBwAAAAAAAAAi' +
        'A0FkZBIEAAAAACo7CAQIAxABQgF3SjAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAqFQgD' +
        'EAFCAWJKDAAAAAAAAAAAAAAAAFoUCgJpbhIOCgIIARIIAAAAAAAAAABiFQoDb3V0Eg4KDAgBEgAKAAgBCgIAAEICEA0=',
      'base64',
    );
    const runner = await openOnnx(file);
    await expect(runner.run(new Float32Array(1))).rejects.toMatchObject({ code: 'bad-model' });
    runner.close();
  });

  it.each([33, 20_000])('loadTask() refuses a file that is nested %i deep by name', (depth) => {
    const text = `{"name": ${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(() => parseTask(JSON.parse(text))).toThrow(/nested deeper than/);
  });

  it('readRecordings() refuses a small file that becomes endless', async () => {
    await inFolder(async (directory) => {
      const member = gzipSync(Buffer.alloc(2 ** 24));
      const file = join(directory, 'bomb.dat.gz');
      await writeFile(file, Buffer.concat(Array.from({ length: 17 }, () => member)));
      expect(() => readRecordings(directory, loadTask('gas'))).toThrow(
        /bomb.dat.gz: Cannot create/,
      );
    });
  });
});

describe('minimise()', () => {
  it('leaves only the bytes that make it fail', async () => {
    const bytes = Uint8Array.from({ length: 200 }, (_, i) => i + 1);
    const fails = async (b: Uint8Array) => b.includes(100) && b.includes(180);
    expect([...(await minimise(bytes, fails))]).toEqual([100, 180]);
  });
});
