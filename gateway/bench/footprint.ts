import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { buildBundle } from '../../device/build.ts';
import type { Inference } from '../../device/core/model.ts';
import { CONFIRMED, TRIAL } from '../../device/core/update.ts';
import { pushSample, startWindows } from '../../device/core/window.ts';
import { windowOptions } from '../../device/window-options.ts';
import { type BoardProfile, loadBoard } from '../board.ts';
import { GatewayError } from '../errors.ts';
import { type EspruinoProcess, spawnEspruino } from '../link/virtual/espruino-process.ts';
import type { Task } from '../task.ts';
import type { Predictor } from '../train/model.ts';
import { footprintModel } from './footprint-model.ts';
import { footprintPeer } from './footprint-peer.ts';

/** Variables in use at one moment of a device's life. */
export interface FootprintStage {
  stage: string;
  /** after it, with nothing under way */
  used: number;
  /** the most within calls since the stage before it; 0 before the device is there */
  within: number;
}

/** What a bundle takes of a real Espruino's variables. */
export interface Footprint {
  /** variables that the interpreter has, and bytes of one */
  total: number;
  blockBytes: number;
  tier: string;
  stages: FootprintStage[];
  /** what is used by the measuring itself, and counted in every stage but the first */
  harness: number;
  /** the most that was seen, and what was left then; garbage is not counted */
  peak: number;
  free: number;
  /** predictions that were compared with the gateway's, and how many were equal */
  predictions: { count: number; equal: number };
  /** codes of `status` of the second update, in order */
  statuses: number[];
  /** samples in the ring while the second update was received */
  ring: number;
  /** what `E.getErrorFlags()` found */
  errors: string[];
}

export interface FootprintOptions {
  /** a Linux build of Espruino whose flash is mapped; 'qemu-arm PATH' for one of another processor */
  path: string;
  /** whose bundle is built; its flash is where Espruino on Linux has it */
  board: BoardProfile;
  task: Task;
}

/** Bytes of a file's header in Storage: u32 of its length, then its name. */
const HEADER = 32;
/** Samples that a device sends at once: see device/core/device.ts. */
const SPAN = 8;
const PATIENCE_MS = 60_000;

/** Records what is used within calls: natives that the core calls from its depths are wrapped. */
const PROBE =
  'M=0;function P(f){return function(a,b,c){' +
  'var u=process.memory().usage;if(u>M)M=u;' +
  'return c===undefined?f(a,b):f(a,b,c)}}' +
  'E.CRC32=P(E.CRC32);E.convolve=P(E.convolve);E.clip=P(E.clip)';

/** The accelerometer of a Puck.js, as its driver sees it, fed with counts of int8. */
const SENSOR =
  'Puck={on:function(e,f){Puck.f=f},accelOn:function(){}};' +
  'function F(t){t=E.toUint8Array(atob(t));for(var i=0;i<t.length;i+=3)' +
  'Puck.f({acc:{x:(t[i]<<24>>24)*256,y:(t[i+1]<<24>>24)*256,z:(t[i+2]<<24>>24)*256}})}';

/**
 * Runs a board's bundle in a real Espruino from its start to its second model, and counts variables.
 *
 * The bundle is evaluated where it lies in flash, as boards do with saved code; samples come from the
 * sensor's driver, frames through a pty. The second model arrives while the ring is full and while
 * all of it is sent again.
 *
 * @param options see FootprintOptions
 * @throws GatewayError 'missing-tool' or 'port' if Espruino cannot be run; 'bad-bundle' where its
 *   variables do not suffice or an update makes no progress
 * @throws RangeError for a task whose models it cannot make: see footprintModel
 */
export async function measureFootprint(options: FootprintOptions): Promise<Footprint> {
  const { task } = options;
  const { flash } = loadBoard('espruino-linux');
  const { pageBytes, slotPages } = { ...options.board.flash, slotPages: options.board.slotPages };
  const board = {
    ...options.board,
    slotPages: Math.ceil((pageBytes * slotPages) / flash.pageBytes),
    flash: { ...flash, mapped: true },
    console: 'USB', // where this asks
  };
  const { code, bytes } = await buildBundle({ board, task });
  const cwd = await mkdtemp(join(tmpdir(), 'whetstone-footprint-'));
  try {
    const slots = (3 + 2 * board.slotPages) * flash.pageBytes;
    const image = Buffer.alloc(flash.pageBytes * flash.pages, 255);
    storeFile(image, 0, 'ws.slot', slots - HEADER);
    image.write('ws', HEADER);
    storeFile(image, slots, 'ws.js', bytes);
    image.write(code, slots + HEADER);
    await writeFile(join(cwd, 'espruino.flash'), image);
    const process = await spawnEspruino({
      ...{ path: options.path, id: 'footprint', cwd },
      // without a timer it ends
      bundle: { code: 'setInterval(function(){},1e6);whetstone=function(o){S=o}' },
    });
    try {
      const load = `eval(E.memoryArea(${flash.start + slots + HEADER},${bytes}))`;
      return await live(process, load, { ...options, board });
    } finally {
      await process.stop();
    }
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

/** @source espruino/Espruino: src/jsflash.h, JsfFileHeader */
function storeFile(image: Buffer, at: number, name: string, length: number): void {
  image.writeUInt32LE(length, at);
  image.fill(0, at + 4, at + HEADER);
  image.write(name, at + 4);
}

async function live(
  device: EspruinoProcess,
  load: string,
  what: FootprintOptions,
): Promise<Footprint> {
  const stages: FootprintStage[] = [];
  const run = async (line: string): Promise<string> => {
    const said = await device.run(line);
    if (/Uncaught|MEMORY/.test(said)) throw new GatewayError('bad-bundle', said.slice(0, 300));
    return said;
  };
  const ask = async (expression: string): Promise<number[]> =>
    (/=([-\d,]+)/.exec(await run(`print("="+${expression})`))?.[1] ?? '').split(',').map(Number);
  const measure = async (stage: string): Promise<void> => {
    const [used, within] = await ask('[process.memory().usage,M]');
    stages.push({ stage, used: used!, within: within! });
    await run('M=0');
  };
  const until = async (holds: () => boolean, why: string): Promise<void> => {
    const deadline = Date.now() + PATIENCE_MS;
    while (!holds()) {
      if (Date.now() > deadline) {
        throw new GatewayError('bad-bundle', `${why}: ${device.output().slice(-300)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  await run('M=0');
  await measure('nothing');
  const memory = '(function(m){return [m.total,m.blocksize]})(process.memory())';
  const [total, blockBytes] = await ask(memory);
  await run(`${SENSOR};${PROBE}`);
  await measure('measuring');
  await run(load);
  await measure('bundle loaded');
  const peer = await footprintPeer(device.port);
  await run('whetstone(S);W.on=function(c,s){L=[c,s]}');
  await until(() => peer.hello !== undefined, 'it says no hello');
  await measure('device created');

  const segments = startWindows(windowOptions(what.task));
  const { axes } = segments.options;
  const predictions = { count: 0, equal: 0 };
  const feed = async (seed: number, predict: Predictor): Promise<void> => {
    const movement = movementOf(seed, axes);
    let right: Inference | undefined;
    for (let i = 0; i < movement.length; i += axes) {
      const done = pushSample(segments, movement.subarray(i, i + axes));
      if (done !== undefined) right = predict(done.values, done.n);
    }
    await run(`L=[];F("${Buffer.from(movement).toString('base64')}")`);
    const [cls, score] = await ask('L');
    predictions.count++;
    if (right !== undefined && cls === right.cls && score === right.score) predictions.equal++;
  };
  const status = (release: number, code: number): Promise<void> =>
    until(() => peer.saw(release, code), `release ${release} came to no status ${code}`);

  const [first, second] = [footprintModel(1, what.task), footprintModel(2, what.task)];
  peer.offer(first);
  await status(1, TRIAL);
  peer.confirm(1);
  await status(1, CONFIRMED);
  await feed(0, first.predict);
  await until(() => peer.samples > 0, 'it sends no sample');
  await measure('model running');

  peer.acknowledges = false;
  for (let k = 1; k <= what.board.ring + 4; k++) await feed(k, first.predict);
  await measure('ring full');

  const size = second.parts.reduce((sum, part) => sum + part.length, 0);
  peer.chunksLeft = Math.ceil(size / 2 / what.board.chunkBytes);
  peer.offer(second);
  await until(() => peer.chunksLeft === 0, 'it wants no chunks');
  const before = peer.samples;
  peer.welcome();
  await until(() => peer.samples >= before + SPAN, 'it does not send its ring again');
  await feed(20, first.predict);
  await measure('update half way');
  peer.chunksLeft = Infinity;
  await status(2, TRIAL);
  await measure('self-test');
  await feed(21, second.predict);
  await measure('trial');
  peer.confirm(2);
  await status(2, CONFIRMED);
  await feed(22, second.predict);
  await measure('confirmed');
  const flags = /=\[(.*)\]/.exec(await device.run('print("="+JSON.stringify(E.getErrorFlags()))'));
  const peak = Math.max(...stages.flatMap(({ used, within }) => [used, within]));
  return {
    ...{ total: total!, blockBytes: blockBytes!, tier: peer.hello!.tier, stages },
    ...{ harness: stages[1]!.used - stages[0]!.used, peak, free: total! - peak },
    ...{ predictions, statuses: peer.statuses(2), ring: what.board.ring },
    errors: flags?.[1] ? flags[1].replaceAll('"', '').split(',') : [],
  };
}

/** A movement like a gesture's, of int8 [samples][axes], and quiet behind it. */
function movementOf(seed: number, axes: number): Int8Array {
  const moving = (30 + (seed % 15)) * axes;
  const out = new Int8Array(moving + 8 * axes);
  const state = crc32(Uint8Array.of(seed));
  for (let i = 0; i < moving; i++) {
    const random = (crc32(Uint8Array.of(i), state) % 61) - 30;
    out[i] = Math.max(-128, Math.min(127, (i < axes ? 0 : out[i - axes]!) + random));
  }
  for (let i = moving; i < out.length; i++) out[i] = out[i - axes]!;
  return out;
}
