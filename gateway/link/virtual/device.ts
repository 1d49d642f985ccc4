import { Script } from 'node:vm';
import type { BoardProfile } from '../../board.ts';
import { createRandom } from '../../random.ts';
import { type Clock, type Port, realClock } from '../port.ts';
import { type BoardDouble, bootBoard } from './board.ts';
import { type FlashImage, VirtualFlash } from './flash.ts';

/** What goes wrong with a virtual device; nothing unless asked for. */
export interface DeviceFaults {
  /** the power goes before the flash operation with this number is carried out */
  cutAfterOps?: number;
  /** after this many bytes sent the device falls silent; it still runs */
  stopAnsweringAfter?: number;
  /** share of the pieces (either way) that are lost, 0 to 1 */
  loss?: number;
  /** `E.convolve` is missing, as on a build without it */
  withoutConvolve?: boolean;
}

export interface VirtualDeviceOptions {
  /** the built bundle: the device runs what a board would run */
  bundle: { code: string };
  id: string;
  board: BoardProfile;
  /** contents of flash; default erased */
  flash?: FlashImage;
  faults?: DeviceFaults;
  /** default the computer's own time */
  clock?: Clock;
  /** of the board's Math.random and of the faults; default from the id */
  seed?: number;
}

/** One prediction, as the application on the device saw it. */
export interface Prediction {
  cls: number;
  score: number;
}

export interface VirtualDevice {
  readonly id: string;
  /** the gateway's end of the link; bytes cross a microtask after they are written */
  readonly port: Port;
  /** Hands a finished window to the device; undefined while it runs no model. */
  feedWindow(values: Int8Array, n: number, label?: number): Prediction | undefined;
  /** Hands one raw sample to the device. */
  feedSample(values: ArrayLike<number>): void;
  /** the flash that it runs on; a restart goes on with its contents */
  readonly flash: VirtualFlash;
  readonly predictions: Prediction[];
  /** lines on its console */
  readonly printed: string[];
  /** whether it has power */
  readonly alive: boolean;
  /** Boots on what flash holds, or on another image, without the faults of before. */
  restart(image?: FlashImage, faults?: DeviceFaults): void;
  powerOff(): void;
  /** Ends it for good and closes its port. */
  dispose(): Promise<void>;
}

const scripts = new Map<string, Script>();

function scriptOf(code: string): Script {
  let script = scripts.get(code);
  if (script === undefined) {
    script = new Script(code, { filename: 'whetstone-bundle.js' });
    scripts.set(code, script);
  }
  return script;
}

function seedOf(text: string): number {
  let hash = 2166136261;
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
  return hash >>> 0;
}

/**
 * Makes a device that runs the built bundle on a double of its board and boots it.
 *
 * @param options see VirtualDeviceOptions
 * @throws Error that the bundle throws while it starts
 */
export function createVirtualDevice(options: VirtualDeviceOptions): VirtualDevice {
  const { id, board, clock = realClock } = options;
  const script = scriptOf(options.bundle.code);
  const chance = createRandom(options.seed ?? seedOf(id));
  const random = (): number => chance.uniform(0, 1);
  const predictions: Prediction[] = [];
  const printed: string[] = [];
  let faults: DeviceFaults = {};
  let flash: VirtualFlash;
  let double: BoardDouble | undefined;
  let sent = 0;
  let isOpen = false;
  let receiver: (bytes: Uint8Array) => void = () => {};
  let closed: (why?: Error) => void = () => {};

  const lost = (): boolean => faults.loss !== undefined && random() < faults.loss;

  const powerOff = (): void => {
    double?.stop();
    double = undefined;
    flash.dead = true;
  };

  const boot = (image: FlashImage | undefined, next: DeviceFaults): void => {
    faults = next;
    sent = 0;
    flash = new VirtualFlash(board.flash, image);
    const mine = flash;
    let running: BoardDouble | undefined;
    let isCut = false;
    mine.onOp = (index) => {
      if (index !== faults.cutAfterOps) return;
      // The code under test runs on to the end of its turn, without power: nothing comes of it.
      mine.dead = true;
      isCut = true;
      running?.stop();
    };
    running = bootBoard(script, {
      name: board.name,
      flash,
      clock,
      random,
      print: (line) => printed.push(line),
      send: (bytes) => {
        sent += bytes.length;
        if (isCut || sent > (faults.stopAnsweringAfter ?? Infinity) || lost()) return;
        queueMicrotask(() => {
          if (isOpen) receiver(bytes);
        });
      },
    });
    double = running;
    const { world } = running;
    if (faults.withoutConvolve) delete (world.E as { convolve?: unknown }).convolve;
    try {
      (world.whetstone as (start: object) => void)({ id });
      const device = world.W as Record<string, unknown>;
      device.on = (cls: number, score: number) => predictions.push({ cls, score });
    } catch (said) {
      if (typeof said !== 'string') throw said; // as on a board, whose console shows it
      printed.push(`Uncaught ${said}`);
    }
    if (isCut) powerOff();
  };

  const call = (name: string, ...args: unknown[]): void => {
    const device = double?.world.W as Record<string, (...args: unknown[]) => void> | undefined;
    device?.[name](...args);
    if (flash.dead) powerOff();
  };

  boot(options.flash, options.faults ?? {});

  return {
    id,
    predictions,
    printed,
    get flash() {
      return flash;
    },
    get alive() {
      return double !== undefined && !flash.dead;
    },
    port: {
      name: `virtual ${id}`,
      virtual: true,
      open: async () => {
        isOpen = true;
      },
      close: async () => {
        if (!isOpen) return;
        isOpen = false;
        closed();
      },
      write: (bytes) => {
        if (!isOpen || lost()) return;
        const copy = bytes.slice();
        queueMicrotask(() => double?.receive(copy));
      },
      onData: (next) => {
        receiver = next;
      },
      onClose: (next) => {
        closed = next;
      },
    },
    feedWindow: (values, n, label) => {
      const before = predictions.length;
      call('window', values, n, label);
      return predictions[before];
    },
    feedSample: (values) => call('sample', values),
    restart: (image, next = {}) => {
      const contents = image ?? flash.image();
      powerOff();
      boot(contents, next);
    },
    powerOff,
    dispose: async () => {
      powerOff();
      if (isOpen) closed();
      isOpen = false;
    },
  };
}
