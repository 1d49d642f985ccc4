import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SEED, SHORT_CASES } from '../../gateway/bench/faults/bytes.ts';
import { minimise } from '../../gateway/bench/faults/bytes/minimise.ts';
import { mutated } from '../../gateway/bench/faults/bytes/mutate.ts';
import { runTarget } from '../../gateway/bench/faults/bytes/run-target.ts';
import { makeTarget, TARGETS, type TargetName } from '../../gateway/bench/faults/bytes/target.ts';

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
  it.each(Object.keys(TARGETS) as TargetName[])('of %s takes what is good', async (name) => {
    if (name === 'frames, both ends') return; // there a good frame is what is behind a bad one
    await inFolder(async (directory) => {
      const target = await makeTarget(name, directory);
      for (const good of target.corpus) expect(await target.take(good)).toBe('taken');
      await target.close?.();
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
