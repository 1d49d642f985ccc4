import { createDevice, type Device, type DeviceConfig, type Host } from '../core/device.ts';
import { ESCAPE } from '../core/escape.ts';
import { flat } from '../core/flat.ts';
import { plainSuite } from '../core/frame.ts';
import { MAC, PLAIN, SECURE } from '../core/options.ts';
import { type Aes, type Cipher, ccm, mac } from '../core/secure.ts';
import { boardAes, boardHmac } from './crypto.ts';
import { eraseFlash, type FlashLayout, openSlots, readFlash, writeFlash } from './flash.ts';
import type { EspruinoE, EspruinoPort } from './globals.ts';
import { chooseTier } from './tiers.ts';

declare const E: EspruinoE;
/** Seconds. */
declare const getTime: () => number;
/** Without a number: all of them. */
declare const clearInterval: () => void;

/** What is said at the start; everything else is in the bundle. */
export interface StartOptions {
  /** name of the device, unique among those of a gateway */
  id: string;
  /** 'Serial1', 'Bluetooth' or 'USB'; default: the board's */
  port?: string;
  /** for a serial port: baud, and its options (`path` on Linux, `rx` and `tx` elsewhere) */
  baud?: number;
  serial?: { path?: string; rx?: unknown; tx?: unknown };
  /** of an analogue input: a pin for each axis of the task, 'A0' */
  pins?: string[];
  /** the fastest kernel to use of those that the board has: thumb, tflm, convolve, reference */
  tier?: string;
}

/** What `build` knows of the core's configuration: constants in the bundle, see device/constants.ts. */
export type Built = Omit<DeviceConfig, 'id' | 'tier'>;

/** What `build` puts into the bundle for this board: constants, once the bundle is minified. */
export interface Wiring extends FlashLayout {
  port: string;
  baud: number;
  /** kernels that the board has, the fastest first */
  tiers: string[];
  /** where the console goes while the link runs; null: nowhere, since whoever has it has the keys */
  console: string | null;
}

const TICK_MS = 250;
/** Session numbers have 31 bits. */
const MOST = 2e9;
const started = getTime() * 1000;

/**
 * A number that another boot does not have: pseudo-random ones begin alike at each boot on some
 * boards, noise is there on some, and on others the time is all that differs.
 */
function sessionNumber(): number {
  const random = Math.random() * MOST + Math.abs(E.hwRand()) + started * 1000;
  return 1 + Math.floor(random % MOST);
}

/**
 * Starts the device on this board.
 *
 * @param world the board's global object, where the port is found by name
 * @param wiring see Wiring
 * @param built what of it is no constant
 * @param options see StartOptions
 * @returns the device
 * @throws a text where its slot file cannot be had
 */
export function startWhetstone(
  world: Record<string, unknown>,
  wiring: Wiring,
  built: Pick<Built, 'classes'>,
  options: StartOptions,
): Device {
  openSlots(wiring);
  // The first page that is all the slot file's, the log's: nothing outside the file is ever touched.
  const base = wiring.flashStart + wiring.page;
  const name = options.port || wiring.port;
  const port = world[name] as EspruinoPort;
  if (name === 'Serial1') port.setup(options.baud || wiring.baud, options.serial || {});
  // Frames and a prompt cannot share a line; at boot the console is nowhere yet, so that it is not asked.
  E.setConsole(wiring.console, { force: true });
  const plain = plainSuite(E.CRC32);
  const chosen = chooseTier(wiring.tiers, options.tier);
  const aes = (MAC || PLAIN ? undefined : boardAes()) as Aes;
  const cipher = (SECURE ? (MAC ? mac(boardHmac) : ccm(aes)) : undefined) as Cipher;
  let heard = '';
  let left = false;
  // What is not here are constants, which the build puts where they are read.
  const host: Partial<Host> = {
    id: options.id,
    classes: built.classes,
    tier: chosen[1],
    dot: chosen[0].dot,
    run: chosen[0].run,
    crc32: E.CRC32,
    seal: plain.seal,
    open: plain.open,
    read: (at: number, n: number) => readFlash(base + at, n),
    write: (at: number, bytes: Uint8Array) => writeFlash(base + at, bytes),
    erase: (at: number) => eraseFlash(base + at),
    session: PLAIN ? sessionNumber() : undefined,
    cipher: cipher,
    send: (bytes: Uint8Array) => left || port.write(bytes),
    clock: () => Math.floor(getTime() * 1000 - started),
    defer: (callback: () => void) => setTimeout(callback, 1),
    attempt: (call: () => boolean) => {
      try {
        return call();
      } catch {
        // undefined will do
      }
    },
  };
  const device = createDevice(host as Host);
  port.on('data', (data) => {
    device.receive(flat([data]));
    heard = (heard + data).slice(-6);
    // By cable alone: whoever is in reach of the radio is not the board's owner.
    if (heard === ESCAPE && name !== 'Bluetooth') {
      left = true;
      clearInterval();
      E.setConsole(name);
    }
  });
  setInterval(device.tick, TICK_MS);
  return device;
}
