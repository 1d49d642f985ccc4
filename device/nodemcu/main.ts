import { createDevice, type DeviceConfig, type Host } from '../core/device.ts';
import { plainSuite } from '../core/frame.ts';
import { bootNumber, fileFlash, openFile } from './files.ts';
import type { NodeNode, NodeTimers, NodeUart, OpenFile } from './globals.ts';
import { numbersLack } from './numbers.ts';
import { luaTier } from './tier.ts';

/* NodeMCU's modules, Lua's own, and prelude.lua's. */
declare const uart: NodeUart;
declare const tmr: NodeTimers;
declare const file: { open?: OpenFile } | undefined;
declare const io: { open: OpenFile };
declare const node: NodeNode;
declare const luaString: (this: void, bytes: Uint8Array) => ArrayBuffer;
declare const luaCrc: (bytes: Uint8Array) => number;
declare const luaAttempt: (call: () => boolean) => boolean;
declare const error: (this: void, message: string, level: number) => never;

/** What is said at the start. */
export interface StartOptions {
  /** name of the device, unique among those of a gateway */
  id: string;
}

/** What `build` puts into the bundle. */
export interface Built extends Omit<DeviceConfig, 'id' | 'tier'> {
  /** number of the serial port */
  uart: number;
}

/** The device as Lua sees it, with lists that count from 1: `W.sample({x, y, z})`. */
export interface LuaDevice {
  sample: (this: void, values: number[]) => void;
  /** a finished window: a list of int8, a sample after the other, of which n samples are not padding */
  window: (this: void, values: number[], n: number, label?: number) => void;
  /** called with each prediction, the application's to set: class `classes[cls + 1]`, score to 255 */
  on: (this: void, cls: number, score: number, classes: string[]) => void;
}

const TICK_MS = 250;
/** Bytes of core/escape.ts, and what it has between its ends, which are zeros. */
const ESCAPED = 6;
const TILDE = 126;
const COUNTER = 2147483648;

/** ms since the start, of a counter of microseconds that goes round every 36 minutes. */
function clockOf(): () => number {
  const count = (): number => (tmr.now !== undefined ? tmr.now() : node.uptime());
  let last = count();
  let ms = 0;
  return () => {
    const now = count();
    ms += ((now - last + COUNTER) % COUNTER) / 1000;
    last = now;
    return Math.floor(ms);
  };
}

/**
 * Starts the device on this board.
 *
 * @param built see Built
 * @param options see StartOptions
 * @returns the device; an error that says what to do where the firmware cannot run it
 */
export function startWhetstone(built: Built, options: StartOptions): LuaDevice {
  const lack = numbersLack({
    add: (a, b) => a + b,
    multiply: (a, b) => a * b,
    divide: (a, b) => a / b,
  });
  if (lack !== '') error(`Whetstone cannot run on this firmware: ${lack}`, 0);
  const open = file !== undefined && file.open !== undefined ? file.open : io.open;
  const opened = openFile(open, built);
  if (opened === undefined) return error('Whetstone: no room for its slot file', 0);
  const flash = fileFlash(opened, built.page);
  const suite = plainSuite(luaCrc);
  const host = built as Built & Host; // one table, not two
  host.id = options.id;
  host.tier = 'lua';
  host.seal = suite.seal;
  host.open = suite.open;
  host.crc32 = luaCrc;
  host.read = flash.read;
  host.write = flash.write;
  host.erase = flash.erase;
  host.dot = luaTier.dot;
  host.run = luaTier.run;
  let heard = 0;
  host.send = (bytes) => {
    if (heard < ESCAPED) uart.write(built.uart, luaString(bytes));
  };
  host.clock = clockOf();
  host.session = node.random !== undefined ? node.random(1, 2147483646) : bootNumber(open);
  host.defer = (callback) => {
    tmr.create().alarm(1, tmr.ALARM_SINGLE, () => callback());
  };
  host.attempt = luaAttempt;
  const device = createDevice(host);
  uart.on(
    'data',
    0,
    (data) => {
      const bytes = new Uint8Array(data);
      device.receive(bytes);
      for (let i = 0; i < bytes.length && heard < ESCAPED; i++) {
        const wanted = heard % (ESCAPED - 1) === 0 ? 0 : TILDE;
        heard = bytes[i] === wanted ? heard + 1 : bytes[i] === 0 ? 1 : 0;
      }
      if (heard === ESCAPED) uart.on('data'); // what comes from now on is the interpreter's
    },
    0,
  );
  tmr.create().alarm(TICK_MS, tmr.ALARM_AUTO, () => device.tick());
  const lua: LuaDevice = {
    sample: (values) => device.sample(new Int32Array(values)),
    window: (values, n, label) => device.window(new Int8Array(values), n, label),
    on: () => {},
  };
  device.on = (cls, score, classes) => lua.on(cls, score, classes);
  return lua;
}
