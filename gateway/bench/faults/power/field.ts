import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlashImage, flatImage, VirtualFlash } from '../../../link/virtual/flash.ts';
import { keyedFlash } from '../keyed-flash.ts';
import { type TinyModel, tinyModel, walk } from '../tiny-model.ts';
import { generation, type LinkKeys } from './key-ring.ts';
import { BOARD, type Build, bootReal, bootVirtual, type World } from './world.ts';

/** A step of a life, with the models that may run once it has begun. */
export interface Phase {
  name: string;
  /** index of its first flash operation */
  from: number;
  models: TinyModel[];
  /** what the gateway has of its keys */
  keys: LinkKeys | undefined;
}

/** What a device did to its flash in a life in the field. */
export interface Life {
  phases: Phase[];
  /** its operations since it was flashed; contents of flash before and after */
  flash: VirtualFlash;
  /** bytes outside the pages of the slot file that are not as they were */
  strayBytes: number;
  /** bytes that are not what the operations say: written by something else */
  unexplainedBytes: number;
}

/** The real board's file of flash, in its folder. */
export const FLASH_FILE = 'espruino.flash';

/** Prints each call that writes flash, before it is carried out. */
const LOGGED = `nativeFlash=require("Flash");Modules.addCached("Flash",function(){
exports.read=function(n,a){return nativeFlash.read(n,a)};
exports.write=function(d,a){print("!w "+a+" "+btoa(E.toString(d)));nativeFlash.write(d,a)};
exports.erasePage=function(a){print("!e "+a);nativeFlash.erasePage(a)};
});`;

const [first, second] = [tinyModel(1, 1), tinyModel(2, 1)];
const [third, fourth] = [tinyModel(3, 7), tinyModel(4, 7)];

/**
 * Lives a life in the field: boots, inference, updates of a head and of the whole model, a revert, a
 * trial that is not confirmed; new keys, where it has some.
 *
 * @param begin called before each step
 * @param restart cuts the power between two operations and boots again
 */
async function live(
  boot: World,
  begin: (name: string, models: TinyModel[], keys?: LinkKeys) => void,
  restart: (world: World) => Promise<World>,
): Promise<World> {
  let world = boot;
  const runsNow = async (model: TinyModel): Promise<void> => {
    if ((await world.runs([model])) === undefined) throw new Error('another model runs');
  };
  begin('first update', [first]);
  await world.update(first);
  begin('boot', [first]);
  world = await restart(world);
  await runsNow(first);
  begin('head-only update', [first, second]);
  await world.offer(second);
  begin('boot on trial', [first, second]);
  world = await restart(world);
  await runsNow(second);
  begin('revert', [first, second]);
  await world.revert(2);
  await runsNow(first);
  begin('the reverted once more', [first, second]);
  await world.update(second);
  begin('whole update', [first, second, third]);
  await world.offer(third);
  begin('trial that nobody confirms', [second, third]);
  for (let n = 0; n < 25; n++) await world.predict(walk(n));
  await runsNow(second);
  if (world.keys() === undefined) return world;
  begin('new keys', [second, third], { present: generation(1), pending: generation(2) });
  await world.rekey(generation(2));
  begin('boot under new keys', [second, third]);
  world = await restart(world);
  await runsNow(second);
  begin('update under new keys', [second, third, fourth]);
  await world.update(fourth);
  return world;
}

/** The life of a virtual device. */
export async function virtualLife(build: Build): Promise<Life> {
  const world = await bootVirtual(build);
  const start = world.device.flash.image();
  const total = new VirtualFlash(BOARD.flash, start);
  const phases: Phase[] = [];
  world.device.flash.forget();
  let alien = 0;
  const collect = (): void => {
    const { ops } = world.device.flash;
    for (const op of ops) {
      if (op.by === 'storage') alien += op.bytes.length;
      if (op.kind === 'erase') total.erase(op.at);
      else total.write(op.at, op.bytes);
    }
    world.device.flash.forget();
  };
  await live(
    world,
    (name, models, keys = world.keys()) => {
      collect();
      phases.push({ name, from: total.ops.length, models, keys });
    },
    async () => {
      collect();
      world.device.restart();
      await world.pass(1500);
      return world;
    },
  );
  collect();
  const end = world.device.flash.image();
  await world.end();
  return lifeOf(phases, total, start, end, alien);
}

/**
 * The life of a real Espruino, its operations read from its console.
 *
 * @param cwd a folder of its own, empty
 */
export async function realLife(espruino: string, build: Build, cwd: string): Promise<Life> {
  const file = join(cwd, FLASH_FILE);
  const code = LOGGED + build.code;
  if (build.keys !== undefined) await writeFile(file, flatImage(BOARD.flash, keyedFlash(BOARD)));
  let world = await bootReal(espruino, { ...build, code }, cwd);
  // another file behind the slot file: one that compaction, or a wrong address, would hit
  await world.run('require("Storage").write("user.txt","hello")');
  const start = imageOf(await readFile(file));
  const total = new VirtualFlash(BOARD.flash, start);
  const phases: Phase[] = [];
  let read = 0;
  const collect = (): void => {
    const said = world.output().slice(read);
    read += said.lastIndexOf('\n') + 1;
    for (const [, kind, at, bytes] of said.matchAll(/!([we]) (\d+) ?(\S*)\s/g)) {
      if (kind === 'e') total.erase(Number(at));
      else total.write(Number(at), new Uint8Array(Buffer.from(bytes!, 'base64')));
    }
  };
  try {
    await live(
      world,
      (name, models, keys = world.keys()) => {
        collect();
        phases.push({ name, from: total.ops.length, models, keys });
      },
      async () => {
        await world.run('1'); // what it prints is in order: all that it did is told by now
        collect();
        await world.end();
        const keys = world.keys();
        world = await bootReal(espruino, { code, ...(keys && { keys }) }, cwd);
        read = 0;
        return world;
      },
    );
    await world.run('1');
    collect();
  } finally {
    await world.end();
  }
  const end = imageOf(await readFile(file));
  return lifeOf(phases, total, start, end, 0);
}

function lifeOf(
  phases: Phase[],
  flash: VirtualFlash,
  start: FlashImage,
  end: FlashImage,
  alien: number,
): Life {
  return {
    ...{ phases, flash, strayBytes: alien + stray(start, end) },
    unexplainedBytes: different(flash.image(), end, () => true),
  };
}

/** Bytes that changed outside the log and the slots. */
function stray(start: FlashImage, end: FlashImage): number {
  const last = 2 + 2 * BOARD.slotPages;
  return different(start, end, (page) => page < 1 || page > last);
}

function different(a: FlashImage, b: FlashImage, counts: (page: number) => boolean): number {
  let bytes = 0;
  for (let page = 0; page < BOARD.flash.pages; page++) {
    if (!counts(page)) continue;
    for (let i = 0; i < BOARD.flash.pageBytes; i++) {
      if ((a.get(page)?.[i] ?? 255) !== (b.get(page)?.[i] ?? 255)) bytes++;
    }
  }
  return bytes;
}

function imageOf(file: Uint8Array): FlashImage {
  const { pageBytes, pages } = BOARD.flash;
  if (file.length !== pageBytes * pages) throw new Error(`flash file of ${file.length} bytes`);
  return new Map(
    Array.from({ length: pages }, (_, page) => [
      page,
      new Uint8Array(file.slice(page * pageBytes, (page + 1) * pageBytes)),
    ]),
  );
}
