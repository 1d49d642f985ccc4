import { expect, test } from 'vitest';
import type { SuiteName } from '../../device/build.ts';
import type { FlashImage, Tear } from '../../gateway/link/virtual/flash.ts';
import { firstHalf } from '../../gateway/link/virtual/flash.ts';
import { type Bench, bench } from '../support/device-bench.ts';
import { integers, type TinyModel, tinyModel } from '../support/tiny-model.ts';

/*
 * A power cut is a new board on the flash that a cut left: every operation of a run is cut before
 * it, within it (its first half, its last half, a random half) and after it. WHETSTONE_ALL_CUTS=1 cuts the
 * recovery at every operation too, not at a sample of them.
 */

const all = process.env.WHETSTONE_ALL_CUTS === '1';
const EVERY = all ? 1 : 11;
const [first, second, third] = [1, 2, 3].map((release) => tinyModel(release, release));
const [later, latest] = [8, 9].map((release) => tinyModel(release, release));
const headOnly = tinyModel(2, 1);

const lastHalf: Tear = (index, length) => !firstHalf(index, length);

function randomHalf(seed: number): Tear {
  const random = integers(seed);
  return () => random(2) === 0;
}

/** Every image that a cut of this run can leave, from its operation `from` on. */
function* cuts({ device }: Bench, from: number): Generator<[where: string, FlashImage]> {
  const { flash } = device;
  for (let op = from; op <= flash.ops.length; op++) {
    yield [`before ${op}`, flash.image(op)];
    if (op === flash.ops.length) return;
    yield [`half of ${op}`, flash.image(op, firstHalf)];
    yield [`other half of ${op}`, flash.image(op, lastHalf)];
    yield [`random half of ${op}`, flash.image(op, randomHalf(op))];
  }
}

/** Boots on an image: one of the models runs whole, and a later update succeeds. */
async function survives(
  image: FlashImage,
  models: readonly TinyModel[],
  emptyIsFine: boolean,
  later: TinyModel,
  suite: SuiteName = 'none',
): Promise<Bench> {
  const b = await bench({ flash: image, suite });
  const runs = b.runs(models);
  const state = b.gateway.hellos.at(-1)?.[9];
  if (emptyIsFine && state === 0) expect(runs).toBeUndefined();
  else expect(runs?.offer[0]).toBe(b.gateway.hellos.at(-1)?.[8]);
  if (state === 2) {
    b.gateway.confirm(runs!.offer[0]);
    await b.settle(20);
  }
  expect(await b.update(later)).toBe(true);
  expect(b.runs([later])).toBe(later);
  expect(b.device.flash.overwritten).toBe(0);
  return b;
}

/** Boots on an image and orders a revert: what is gone back to runs whole, or nothing changes. */
async function goesBackWhole(
  image: FlashImage,
  models: readonly TinyModel[],
  suite: SuiteName,
): Promise<void> {
  const b = await bench({ flash: image, suite });
  const runs = b.runs(models);
  if (runs === undefined) return;
  b.gateway.revert(runs.offer[0]);
  await b.settle();
  expect(b.runs(models)?.offer[0]).toBe(b.gateway.hellos.at(-1)?.[8]);
}

/** Cuts a run everywhere, and the recovery from each cut at a sample of its operations. */
async function cutEverywhere(
  run: Bench,
  from: number,
  models: TinyModel[],
  emptyIsFine = false,
  suite: SuiteName = 'none',
): Promise<string> {
  let single = 0;
  let double = 0;
  let turn = 0;
  for (const [where, image] of cuts(run, from)) {
    const recovery = await survives(image, models, emptyIsFine, later, suite).catch((cause: unknown) => {
      throw new Error(`cut ${where}`, { cause });
    });
    await goesBackWhole(image, models, suite);
    single++;
    for (const [again, twice] of cuts(recovery, 0)) {
      if (turn++ % EVERY > 0) continue;
      await survives(twice, [...models, later], emptyIsFine, latest, suite).catch((cause: unknown) => {
        throw new Error(`cut ${where}, then ${again}`, { cause });
      });
      double++;
    }
    await recovery.device.dispose();
  }
  return `${single} cuts, ${double} double cuts`;
}

async function withFirst(): Promise<Bench> {
  const b = await bench();
  expect(await b.update(first)).toBe(true);
  return b;
}

const limit = all ? 3_600_000 : 300_000;

test(
  'device boots into the old or the new model when power is cut at any operation of a whole update',
  async () => {
    const b = await bench();
    const oldest = tinyModel(1, 9);
    const old = tinyModel(2, 8);
    const fresh = tinyModel(3, 7);
    for (const model of [oldest, old]) expect(await b.update(model)).toBe(true);
    const from = b.device.flash.ops.length;
    expect(await b.update(fresh)).toBe(true);
    console.log(`whole update: ${await cutEverywhere(b, from, [oldest, old, fresh])}`);
  },
  limit,
);

test(
  'device boots into the old or the new model when power is cut at any operation of a head-only update that turns the log page',
  async () => {
    let b = await withFirst();
    // Boots and updates fill the log's page: 16 records in 1,024 bytes.
    const records = (): number => b.device.flash.ops.filter((op) => op.bytes.length === 64).length;
    for (let turn = 0; records() % 16 < 13; turn++) {
      const next = tinyModel(10 + turn, 1);
      expect(await b.update(next)).toBe(true);
    }
    const aged = b.device.flash.image();
    b = await bench({ flash: aged });
    const old = b.runs(Array.from({ length: 60 }, (_, i) => tinyModel(10 + i, 1)));
    const release = old!.offer[0] + 1;
    const fresh = tinyModel(release, 1);
    expect(await b.update(fresh)).toBe(true);
    const erased = b.device.flash.ops.filter((op) => op.kind === 'erase').length;
    expect(erased).toBe(2); // one page of the slot, one of the log
    let single = 0;
    for (const [where, image] of cuts(b, 0)) {
      const later = tinyModel(release + 1, 5);
      await survives(image, [old!, fresh], false, later).catch((cause: unknown) => {
        throw new Error(`cut ${where}`, { cause });
      });
      single++;
    }
    console.log(`head-only update with a full log: ${single} cuts`);
  },
  limit,
);

for (const suite of ['none', 'ccm', 'mac'] as const) {
  test(
    `device with ${suite} boots into nothing or the first model when power is cut at any operation of the first update`,
    async () => {
      const b = await bench({ suite });
      // A slot file that flashing has written is there; without keys the device makes its own.
      const from = suite === 'none' ? b.device.flash.ops.length : 0;
      expect(await b.update(first)).toBe(true);
      console.log(`first update, ${suite}: ${await cutEverywhere(b, from, [first], true, suite)}`);
    },
    limit,
  );
}

test(
  'device boots into the old or the new model when power is cut at any operation of a revert',
  async () => {
    const b = await withFirst();
    b.gateway.offer(headOnly);
    await b.settle();
    const from = b.device.flash.ops.length;
    b.gateway.revert(2);
    await b.settle();
    expect(b.runs([first])).toBe(first);
    console.log(`revert: ${await cutEverywhere(b, from, [first, headOnly])}`);
  },
  limit,
);

test('device writes only inside the slot file when it is updated and reverted', async () => {
  const b = await withFirst();
  const created = b.device.flash.ops.filter((op) => op.by === 'storage');
  const header = created[0].bytes;
  const begin = created[0].at + 32;
  const end = begin + header[0] + header[1] * 256 + header[2] * 65536;
  expect(created.map((op) => op.bytes.length)).toEqual([32, 4]);
  b.device.restart();
  await b.settle();
  expect(await b.update(second)).toBe(true);
  b.gateway.offer(third);
  await b.settle();
  b.gateway.revert(3);
  await b.settle();
  const { ops, shape } = b.device.flash;
  expect(ops.length).toBeGreaterThan(15);
  for (const op of ops) {
    const length = op.kind === 'erase' ? shape.pageBytes : op.bytes.length;
    expect(op.by).toBe('flash');
    expect(op.at).toBeGreaterThanOrEqual(begin);
    expect(op.at + length).toBeLessThanOrEqual(end);
  }
});
