import { createCipheriv, createHash } from 'node:crypto';
import { createContext, runInContext, type Script } from 'node:vm';
import { crc32 } from 'node:zlib';
import { type Bytes, flat } from '../../../device/core/flat.ts';
import type { Clock } from '../port.ts';
import type { VirtualFlash } from './flash.ts';
import { VirtualStorage } from './storage.ts';

/** What a board double is connected to. */
export interface BoardWires {
  name: string;
  flash: VirtualFlash;
  clock: Clock;
  /** bytes that the board sends */
  send: (bytes: Uint8Array) => void;
  print: (line: string) => void;
  /** 0 to 1, 1 excluded; the board's Math.random */
  random: () => number;
}

/** A board that runs a script; it has no more than the runtime uses of Espruino. */
export interface BoardDouble {
  /** the board's global object */
  world: Record<string, unknown>;
  /** bytes that arrive at the board's port */
  receive: (bytes: Uint8Array) => void;
  /** Cuts the power: no timer runs and nothing is sent any more. */
  stop: () => void;
}

/** AES as Espruino's library `crypto` has it: CBC, its first vector zeros, unless ECB is named. */
function encrypt(bytes: Uint8Array, key: Uint8Array, options?: { mode: string }): Buffer {
  const [mode, iv] = options?.mode === 'ECB' ? ['ecb', null] : ['cbc', Buffer.alloc(16)];
  return createCipheriv(`aes-128-${mode}`, key, iv).setAutoPadding(false).update(bytes);
}

/**
 * Starts a script on a double of an Espruino board, in a context of its own.
 *
 * @param script compiled once, run in many contexts
 * @param wires see BoardWires
 * @throws Error that the script throws while it starts
 */
export function bootBoard(script: Script, wires: BoardWires): BoardDouble {
  const { flash, clock } = wires;
  const storage = new VirtualStorage(flash);
  const listeners: ((data: string) => void)[] = [];
  const timers = new Map<number, unknown>();
  let alive = true;
  let count = 0;

  const later = (callback: () => void, ms = 0, again = false): number => {
    const id = ++count;
    const arm = (): void => {
      timers.set(
        id,
        clock.setTimeout(() => {
          if (!alive) return;
          if (again) arm();
          else timers.delete(id);
          callback();
        }, ms),
      );
    };
    arm();
    return id;
  };
  const clear = (id?: number): void => {
    if (id === undefined) {
      for (const each of [...timers.keys()]) clear(each);
      return;
    }
    clock.clearTimeout(timers.get(id));
    timers.delete(id);
  };
  const print = (...values: unknown[]): void => wires.print(values.map(String).join(' '));
  const port = {
    setup: () => {},
    on: (_event: string, listener: (data: string) => void) => listeners.push(listener),
    write: (bytes: Uint8Array) => {
      if (alive) wires.send(Uint8Array.from(bytes));
    },
  };
  const started = clock.now();
  const ofBoard = (bytes: Uint8Array): ArrayBufferLike => own.Uint8Array.from(bytes).buffer;
  const libraries: Record<string, unknown> = {
    Storage: storage,
    Flash: {
      read: (n: number, at: number) => (n > 0 ? own.Uint8Array.from(flash.read(at, n)) : undefined),
      write: (bytes: Uint8Array, at: number) => flash.write(at, Uint8Array.from(bytes)),
      erasePage: (at: number) => flash.erase(at),
    },
    crypto: {
      AES: { encrypt: (...what: Parameters<typeof encrypt>) => ofBoard(encrypt(...what)) },
      SHA1: (bytes: Uint8Array) => ofBoard(createHash('sha1').update(bytes).digest()),
    },
  };
  const world: Record<string, unknown> = {
    E: {
      CRC32: (bytes: Uint8Array) => crc32(bytes),
      convolve: (a: Int8Array, b: Int8Array) => {
        if (b.length === 0) throw new Error('an empty second array kills Espruino');
        let sum = 0;
        for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
        return sum;
      },
      hwRand: () => 0,
      clip: (value: number, least: number, most: number) => Math.max(least, Math.min(most, value)),
      memoryArea: (at: number, n: number) => Buffer.from(flash.read(at, n)).toString('latin1'),
      toArrayBuffer: (text: string) => own.Uint8Array.from(Buffer.from(text, 'latin1')).buffer,
      toString: (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1'),
      toUint8Array: (...parts: Bytes[]) => own.Uint8Array.from(flat(parts)),
      setConsole: () => {},
    },
    require: (name: string) => {
      if (libraries[name] === undefined) throw new Error(`Module ${name} not found`);
      return libraries[name];
    },
    Serial1: port,
    Bluetooth: port,
    USB: port,
    Bangle: { on: () => {}, setPollInterval: () => {} },
    Puck: { on: () => {}, accelOn: () => {} },
    setTimeout: (callback: () => void, ms?: number) => later(callback, ms),
    setInterval: (callback: () => void, ms?: number) => later(callback, ms, true),
    clearTimeout: clear,
    clearInterval: clear,
    getTime: () => 1 + (clock.now() - started) / 1000,
    print,
    console: { log: print },
    process: { env: { BOARD: wires.name } },
  };
  createContext(world, { name: wires.name });
  world.global = world;
  const own = runInContext('({ Uint8Array, Math })', world) as {
    Uint8Array: typeof Uint8Array;
    Math: Math;
  };
  own.Math.random = wires.random;
  script.runInContext(world);
  return {
    world,
    receive: (bytes) => {
      const text = Buffer.from(bytes).toString('latin1');
      if (alive) for (const listener of listeners) listener(text);
    },
    stop: () => {
      alive = false;
      clear();
    },
  };
}
