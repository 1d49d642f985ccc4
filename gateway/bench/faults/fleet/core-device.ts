import { crc32 } from 'node:zlib';
import { builtOf } from '../../../../device/build.ts';
import { createDevice, type Device } from '../../../../device/core/device.ts';
import { feed, frameDecoder } from '../../../../device/core/frame.ts';
import { ACK, DROPPED, unpack, WELCOME } from '../../../../device/core/messages.ts';
import type { Cipher } from '../../../../device/core/secure.ts';
import { readSlot, type SlotConfig, slotAt } from '../../../../device/core/slot.ts';
import { type DeviceKeys, firstRecord } from '../../../../device/first-record.ts';
import type { BoardProfile } from '../../../board.ts';
import { type Hello, parseMessage } from '../../../link/messages.ts';
import type { Clock, Port } from '../../../link/port.ts';
import { none } from '../../../link/suites/none.ts';
import type { SuiteName } from '../../../link/suites/suite.ts';
import { type FlashImage, type Tear, VirtualFlash } from '../../../link/virtual/flash.ts';
import { CIPHERS } from '../../../link/virtual/node-ciphers.ts';
import type { Random } from '../../../random.ts';
import type { Recording } from '../../../recordings.ts';
import type { Task } from '../../../task.ts';
import { tier } from '../../../train/gateway-tier.ts';

/** One boot of a device, as the device itself saw it: what it made, and what it was told. */
export interface Life {
  session: number;
  /** whether a gateway has answered its hello */
  isWelcome: boolean;
  /** of each window that it made, in the order of their seq: which of the pool, and its clock then */
  made: { window: number; t: number }[];
  /** it was told that every seq up to here is stored, or was reported dropped by itself */
  told: number;
  /** the highest seq below which it said that it holds nothing more that was not acknowledged */
  heldFrom: number;
  /** how many it said that it dropped */
  dropped: number;
  /** seqs that it had reported dropped by the time it was told of them */
  excused: Set<number>;
}

/** The core of a device, as a board runs it, in this process. */
export interface CoreDevice {
  readonly id: string;
  /** every boot, the newest last */
  readonly lives: Life[];
  /** releases that it said it runs, with the version that it named: hex of 8 bytes */
  readonly ran: Map<string, Hello>;
  readonly isOn: boolean;
  /** what the newest hello said; undefined before the first one */
  readonly hello: Hello | undefined;
  /** Hands window `index` of the pool to the device. @returns whether it made something of it */
  see(index: number): boolean;
  /** Cuts its power: now, or in the middle of a coming flash operation or answer, or not after all. */
  cut(when: 'now' | 'flash' | 'send' | 'never'): void;
  /** Boots on what the cut left of its flash. */
  boot(): Promise<void>;
  /** Models that lie whole in its two slots. */
  slots(): { release: number; version: string; parts: Uint8Array[] }[];
}

export interface CoreDeviceOptions {
  id: string;
  /** its end of the link; opened at each boot, never closed */
  port: Port;
  clock: Clock;
  board: BoardProfile;
  task: Task;
  /** what its sensor gives */
  pool: readonly Recording[];
  random: Random;
  /** how much faster than the clock its own runs; default 1 */
  speed?: number;
  /** what it was flashed with; without it its link is `none` */
  keys?: { suite: SuiteName; keys: DeviceKeys };
}

const TICK_MS = 250;
/** Session numbers have 31 bits. */
const MOST = 2 ** 31 - 2;

/** Bytes as lower-case hex. */
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What a cut leaves of the operation under way: nothing, its first or last half, or any bytes. */
function tearOf(random: Random): Tear {
  const kind = random.integer(4);
  if (kind === 0) return () => false;
  if (kind === 1) return (index, length) => index < length / 2;
  if (kind === 2) return (index, length) => index >= length / 2;
  return () => random.integer(2) === 0;
}

/** Makes a device that is off; its flash is erased. */
export function createCoreDevice(options: CoreDeviceOptions): CoreDevice {
  const { id, port, clock, board, task, pool, random, speed = 1, keys } = options;
  const { port: _, baud: __, flashStart: ___, ...built } = builtOf(board, task);
  const shape = { start: 0, pageBytes: built.page, pages: 2 + 2 * built.slotPages };
  const lives: Life[] = [];
  const ran = new Map<string, Hello>();
  let flash = new VirtualFlash(shape);
  if (keys !== undefined) flash.write(0, firstRecord(keys.keys));
  let image = flash.image();
  let device: Device | undefined;
  let endLife: () => void = () => {};
  let hello: Hello | undefined;
  let armed: 'flash' | 'send' | undefined;
  let seen = -1;
  let clockOf: () => number = () => 0;
  let madeAt: number | undefined; // its clock stands still while it makes something of a window

  const slotConfig = (): SlotConfig => ({
    ...{ page: built.page, slotPages: built.slotPages, crc32: (bytes) => crc32(bytes) },
    ...none,
    read: (at, n) => flash.read(at, n),
  });

  function off(): void {
    if (device === undefined) return;
    image = flash.image();
    endLife();
  }

  async function boot(): Promise<void> {
    off();
    const life: Life = {
      // of a device with keys it is the epoch, which is not known before it says so
      session: keys === undefined ? sessionNumber() : 0,
      ...{ isWelcome: false, made: [], told: 0, heldFrom: 1, dropped: 0 },
      excused: new Set(),
    };
    lives.push(life);
    const mine = new VirtualFlash(shape, image);
    flash = mine;
    armed = undefined;
    const timers = new Set<unknown>();
    let alive = true;
    const die = (left: FlashImage): void => {
      alive = false;
      image = left;
      device = undefined;
      for (const timer of timers) clock.clearTimeout(timer);
    };
    endLife = () => {
      const left = mine.image();
      mine.dead = true;
      die(left);
    };
    let torn = Infinity;
    mine.onOp = (index) => {
      // what the code does after the cut, to the end of its turn, has no power behind it
      if (index > torn) mine.dead = true;
      if (armed !== 'flash' || torn !== Infinity) return;
      torn = index;
      alive = false;
      queueMicrotask(() => {
        mine.dead = true;
        die(mine.image(torn, tearOf(random)));
      });
    };
    const later = (callback: () => void, ms: number): void => {
      const timer = clock.setTimeout(() => {
        timers.delete(timer);
        if (alive) callback();
      }, ms);
      timers.add(timer);
    };
    const startedAt = clock.now();
    const time = (): number => madeAt ?? Math.floor((clock.now() - startedAt) * speed);
    clockOf = time;
    const said = (payload: Uint8Array): void => {
      const message = parseMessage(payload);
      if (message?.name === 'hello') {
        hello = message.body;
        life.session = hello.session;
        life.dropped = Math.max(life.dropped, hello.dropped);
        ran.set(`${hello.release} ${hex(hello.version)}`, hello);
      } else if (message?.name === 'event' && message.body.code === DROPPED) {
        life.heldFrom = Math.max(life.heldFrom, message.body.a);
        life.dropped = Math.max(life.dropped, message.body.b);
      }
    };
    const heard = (payload: Uint8Array): void => {
      const fields = unpack(payload) as number[] | undefined;
      const at = payload[0] === ACK ? 1 : payload[0] === WELCOME ? 2 : undefined;
      if (fields === undefined || at === undefined || fields[0] !== life.session) return;
      if (payload[0] === WELCOME) life.isWelcome = true;
      const told = fields[at]!;
      for (let seq = life.told + 1; seq <= Math.min(told, life.heldFrom - 1); seq++) {
        life.excused.add(seq);
      }
      life.told = Math.max(life.told, told);
    };
    const see = (payload: Uint8Array, by: (payload: Uint8Array) => void): void => {
      if (alive) by(payload.slice());
    };
    // what is in clear is seen on the cable, what is sealed where the device itself seals and opens it
    const passes =
      keys === undefined
        ? { said: watch(said, built.frame + 1024), heard: watch(heard, built.frame) }
        : { said: () => {}, heard: () => {} };
    const cipher =
      keys &&
      watched(
        CIPHERS[keys.suite],
        (body) => see(body, said),
        (body) => see(body, heard),
      );
    port.onData((bytes) => {
      if (!alive) return;
      passes.heard(bytes);
      device?.receive(bytes);
    });
    await port.open();
    device = createDevice({
      ...{
        id,
        session: life.session,
        ...(cipher && { cipher }),
        crc32: (bytes: Uint8Array) => crc32(bytes),
      },
      ...{ clock: time, defer: (callback: () => void) => later(callback, 1 / speed) },
      ...{ ...built, ...none, ...tier, tier: 'reference' },
      read: (at, n) => mine.read(at, n),
      write: (at, bytes) => {
        const words = new Uint8Array(Math.ceil(bytes.length / 4) * 4).fill(255);
        words.set(bytes);
        mine.write(at, words);
      },
      erase: (at) => mine.erase(at),
      attempt: (call) => {
        try {
          return call();
        } catch {
          return false;
        }
      },
      send: (frame) => {
        if (!alive) return;
        passes.said(frame);
        if (armed === 'send') {
          // the frame leaves, or half of it, and nothing behind it
          alive = false;
          torn = mine.ops.length - 1;
          port.write(frame.subarray(0, random.integer(2) === 0 ? frame.length : frame.length / 2));
          queueMicrotask(() => endLife());
        } else port.write(frame);
      },
    });
    device.on = () => {
      if (alive) life.made.push({ window: seen, t: time() });
    };
    const tick = (): void => {
      device?.tick();
      later(tick, TICK_MS / speed);
    };
    later(tick, TICK_MS / speed);
  }

  function sessionNumber(): number {
    const session = 1 + random.integer(MOST);
    return lives.some((life) => life.session === session) ? sessionNumber() : session;
  }

  return {
    ...{ id, lives, ran, boot },
    get isOn() {
      return device !== undefined;
    },
    get hello() {
      return hello;
    },
    see(index) {
      const life = lives.at(-1);
      if (device === undefined || life === undefined) return false;
      const before = life.made.length;
      seen = index;
      const { window, length } = pool[index]!;
      madeAt = clockOf();
      device.window(window, length);
      madeAt = undefined;
      return life.made.length > before;
    },
    cut(when) {
      if (when === 'now') off();
      else armed = when === 'never' ? undefined : when;
    },
    slots() {
      const config = slotConfig();
      return [0, 1].flatMap((slot) => {
        const { b, f } = readSlot(config, slot);
        if (b === undefined) return []; // NONE has no bytes
        let at = Math.ceil((b.length + 8) / 4) * 4;
        const parts = f[2].map(([, length]) => {
          const bytes = config.read(slotAt(config, slot) + at, length).slice();
          at += Math.ceil(length / 4) * 4;
          return bytes;
        });
        return [{ release: f[0], version: hex(f[1]), parts }];
      });
    },
  };
}

/** Looks at the frames of one direction. @returns to be given the bytes as they pass */
function watch(see: (payload: Uint8Array) => void, maxBytes: number): (bytes: Uint8Array) => void {
  const decoder = frameDecoder(maxBytes);
  return (bytes) => feed(decoder, bytes, none.open, (payload) => see(payload.slice()));
}

/** A cipher whose user is overheard. */
function watched(
  cipher: Cipher,
  said: (body: Uint8Array) => void,
  heard: (body: Uint8Array) => void,
): Cipher {
  return {
    lock: (key, nonce, head, body) => {
      said(body);
      return cipher.lock(key, nonce, head, body);
    },
    unlock: (key, nonce, sealed) => {
      const body = cipher.unlock(key, nonce, sealed);
      if (body !== undefined) heard(body);
      return body;
    },
  };
}
