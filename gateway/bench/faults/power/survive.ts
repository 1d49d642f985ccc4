import { createHash } from 'node:crypto';
import type { FlashImage } from '../../../link/virtual/flash.ts';
import { type TinyModel, tinyModel } from '../tiny-model.ts';
import type { Segment } from './tears.ts';
import { type Build, bootVirtual, type VirtualWorld } from './world.ts';

/** Boots without an order from anybody: a trial is over by then. */
const BOOTS = 5;
const BOOT_MS = 1500;

/** What a device has become on the flash that a cut left. */
export interface Survival {
  /** release that ran whole after the boot; 0 for an empty device */
  release: number;
  /** operations of each boot that followed: the power may go there as well */
  segments: Segment[];
}

/** Name of an image: what is erased is as if it were not there. */
export function imageName(image: FlashImage): string {
  const hash = createHash('sha1');
  for (const page of [...image.keys()].sort((a, b) => a - b)) {
    const bytes = image.get(page)!;
    if (bytes.every((byte) => byte === 255)) continue;
    hash.update(`${page}:`).update(bytes);
  }
  return hash.digest('hex');
}

/** A model that is newer than any of a scenario, and its successor for a second cut. */
export const LATER = [tinyModel(1001, 30), tinyModel(1002, 31)] as const;

/**
 * Boots on an image and sees that the device lives on: it runs a whole model, confirms it where it is
 * on trial, and takes a later one.
 *
 * @param models that it may run
 * @throws Error that says what is wrong
 */
export async function survives(
  build: Build,
  image: FlashImage,
  models: readonly TinyModel[],
  later: TinyModel,
): Promise<Survival> {
  const world = await bootVirtual(build, image);
  try {
    const release = await whole(world, models);
    const { flash } = world.device;
    if (release > 0 && world.hellos.at(-1)?.state === 2) await world.confirm(release);
    await world.update(later);
    const now = await world.runs([later]);
    if (now === undefined) throw new Error(`release ${later.offer[0]} does not run`);
    if (flash.overwritten > 0) throw new Error('a word was written twice without an erase');
    return { release, segments: [{ flash, from: 0 }] };
  } finally {
    await world.end();
  }
}

/** Boots on an image and orders a revert: the device runs a whole model then too. */
export async function reverts(
  build: Build,
  image: FlashImage,
  models: readonly TinyModel[],
): Promise<Survival> {
  const world = await bootVirtual(build, image);
  try {
    const release = await whole(world, models);
    if (release > 0) await world.revert(release);
    await whole(world, models);
    return { release, segments: [{ flash: world.device.flash, from: 0 }] };
  } finally {
    await world.end();
  }
}

/** Boots on an image again and again, with no gateway's word: each time a whole model runs. */
export async function rebootsWhole(
  build: Build,
  image: FlashImage,
  models: readonly TinyModel[],
): Promise<Survival> {
  const world = await bootVirtual(build, image);
  try {
    const release = await whole(world, models);
    const segments: Segment[] = [{ flash: world.device.flash, from: 0 }];
    for (let boot = 0; boot < BOOTS && world.hellos.at(-1)?.state === 2; boot++) {
      world.device.restart();
      await world.pass(BOOT_MS);
      await whole(world, models);
      segments.push({ flash: world.device.flash, from: 0 });
    }
    return { release, segments };
  } finally {
    await world.end();
  }
}

/** The release that runs whole, 0 for none; what the device says of itself must agree. */
async function whole(world: VirtualWorld, models: readonly TinyModel[]): Promise<number> {
  const runs = await world.runs(models);
  const hello = world.hellos.at(-1);
  const says = hello?.state === 0 ? 0 : hello?.release;
  const release = runs?.offer[0] ?? 0;
  if (release !== says) throw new Error(`release ${release} runs, the device says ${says}`);
  return release;
}
