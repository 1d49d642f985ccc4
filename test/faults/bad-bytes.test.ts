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
import { createPair } from '../../gateway/bench/faults/bytes/targets/pair.ts';
import { SEED, SHORT_CASES } from '../../gateway/bench/faults/bytes.ts';
import { none } from '../../gateway/link/suites/none.ts';
import { readRecordings } from '../../gateway/recordings.ts';
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
