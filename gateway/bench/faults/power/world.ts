import { type Bundle, buildBundle, type SuiteName } from '../../../../device/build.ts';
import { CONFIRMED, TRIAL } from '../../../../device/core/update.ts';
import { type BoardProfile, loadBoard } from '../../../board.ts';
import { type Connection, connect } from '../../../link/connect.ts';
import type { KeyPair } from '../../../link/keys.ts';
import type { Hello, Status } from '../../../link/messages.ts';
import { type Clock, type Port, realClock } from '../../../link/port.ts';
import { virtualClock } from '../../../link/virtual/clock.ts';
import {
  createVirtualDevice,
  type Prediction,
  type VirtualDevice,
} from '../../../link/virtual/device.ts';
import { spawnEspruino } from '../../../link/virtual/espruino-process.ts';
import type { FlashImage } from '../../../link/virtual/flash.ts';
import { loadTask } from '../../../task.ts';
import { keyedFlash } from '../keyed-flash.ts';
import { offerOf, type TinyModel, walk } from '../tiny-model.ts';
import { type LinkKeys, oneKey } from './key-ring.ts';

/** How long a device may take for a step, ms of its clock: without faults it needs a tenth of it. */
const PATIENCE_MS = 20_000;
const STEP_MS = 50;
const ALL = { confidentOneIn: 1, uncertainBelow: 0, rawOneIn: 0 };
const WINDOWS = [3, 4, 5, 6].map(walk);
const LENGTH = 50;
const ID = 'cut';

/** The board whose flash is cut: that of the real Espruino at hand, so that their images are alike. */
export const BOARD: BoardProfile = loadBoard('espruino-linux');

const bundles = new Map<SuiteName, Promise<Bundle>>();

/** The bundle that all parts run, minified as for a board; built once for a suite. */
export function faultsBundle(suite: SuiteName = 'none'): Promise<Bundle> {
  const bundle =
    bundles.get(suite) ?? buildBundle({ board: BOARD, task: loadTask('gesture'), suite });
  bundles.set(suite, bundle);
  return bundle;
}

/** What a device runs, and what its gateway has of its keys. */
export interface Build {
  code: string;
  /** of a bundle of the suite `ccm` alone */
  keys?: LinkKeys;
}

/** The code of the bundles, by suite. */
export type Codes = Record<'none' | 'ccm', string>;

export async function faultsCodes(): Promise<Codes> {
  const [none, ccm] = await Promise.all([faultsBundle('none'), faultsBundle('ccm')]);
  return { none: none.code, ccm: ccm.code };
}

/** A device, virtual or real, and the gateway's own end of its link. */
export interface World {
  /** what the device said of itself, the newest last */
  hellos: Hello[];
  /** Lets a time pass. */
  pass(ms: number): Promise<void>;
  /** Offers a model and waits until it is on trial, or its end. @throws Error if nothing comes of it */
  offer(model: TinyModel): Promise<void>;
  confirm(release: number): Promise<void>;
  /** Orders the way back and waits for the answer. */
  revert(release: number): Promise<void>;
  /** Offers and confirms. */
  update(model: TinyModel): Promise<void>;
  /** Hands new keys to the device and waits until it speaks under them. */
  rekey(to: KeyPair): Promise<void>;
  /** what the gateway has of its keys by now; undefined where it has none */
  keys(): LinkKeys | undefined;
  /** A window; undefined while the device runs no model. */
  predict(window: Int8Array): Promise<Prediction | undefined>;
  /** Which of the models it runs whole, by its predictions; undefined for none of them. */
  runs(models: readonly TinyModel[]): Promise<TinyModel | undefined>;
  end(): Promise<void>;
}

/** Of a virtual device, also its flash. */
export interface VirtualWorld extends World {
  device: VirtualDevice;
}

interface Ends {
  keys: LinkKeys | undefined;
  port: Port;
  clock: Clock;
  pass(ms: number): Promise<void>;
  feedWindow(values: Int8Array, n: number): Promise<Prediction | undefined>;
  end(): Promise<void>;
}

/**
 * Boots the bundle on a double of the board and connects the gateway's end of the link.
 *
 * @param flash what it boots on; default as flashing leaves it
 */
export async function bootVirtual(
  { code, keys }: Build,
  flash?: FlashImage,
): Promise<VirtualWorld> {
  const clock = virtualClock();
  const image = flash ?? (keys && keyedFlash(BOARD));
  const device = createVirtualDevice({
    bundle: { code },
    id: ID,
    board: BOARD,
    clock,
    flash: image,
  });
  const world = await open({
    ...{ keys, port: device.port, clock, pass: (ms: number) => clock.advance(ms) },
    feedWindow: async (values, n) => device.feedWindow(values, n),
    end: () => device.dispose(),
  });
  return Object.assign(world, { device });
}

/**
 * Boots the bundle on the real Espruino in a folder of its own, on the flash file that is there.
 *
 * @param path of the Linux build of Espruino
 * @param build whose code it runs first, defining `whetstone`
 * @param cwd its folder
 */
export async function bootReal(
  path: string,
  { code, keys }: Build,
  cwd: string,
): Promise<RealWorld> {
  const espruino = await spawnEspruino({ path, bundle: { code }, id: ID, cwd });
  const world = await open({
    ...{ keys, port: espruino.port, clock: realClock },
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    feedWindow: (values, n) => espruino.feedWindow(values, n),
    end: () => espruino.stop(),
  }).catch(async (error: unknown) => {
    await espruino.stop();
    throw error;
  });
  return Object.assign(world, { output: espruino.output, run: espruino.run });
}

/** Of a real one, also its console. */
export interface RealWorld extends World {
  output(): string;
  /** Runs a line of JavaScript on it. */
  run(line: string): Promise<string>;
}

async function open({ keys, port, clock, pass, feedWindow, end }: Ends): Promise<World> {
  const hellos: Hello[] = [];
  const statuses: Status[] = [];
  const ring = keys && oneKey(ID, keys);
  const link: Connection = await connect(
    port,
    {
      onHello: (hello) => {
        hellos.push(hello);
        return { ackSeq: 0, beyond: [] };
      },
      onSample: (_sample, done) => done(),
      onStatus: (status) => statuses.push(status),
      ...{ onWindow: () => {}, onGone: () => {}, onLost: () => {}, onEvent: () => {} },
      onClose: () => {},
    },
    { policy: ALL, clock, ...(ring && { keys: ring, plain: false }) },
  );
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    for (let waited = 0; !holds(); waited += STEP_MS) {
      const said = statuses.map(({ release, code }) => `${release}:${code}`).join(' ');
      if (waited > PATIENCE_MS) throw new Error(`waited in vain for ${what}; statuses: ${said}`);
      await pass(STEP_MS);
    }
  };
  const saw = (of: number, ...codes: number[]) => {
    return statuses.some(({ release, code }) => release === of && codes.includes(code));
  };
  const world: World = {
    hellos,
    pass,
    offer: async (model) => {
      statuses.length = 0;
      const release = model.offer[0];
      link.offer(offerOf(model), model.parts);
      await until(`trial of release ${release}`, () => saw(release, TRIAL, CONFIRMED));
    },
    confirm: async (release) => {
      link.confirm(release);
      await until(`confirmation of release ${release}`, () => saw(release, CONFIRMED));
    },
    revert: async (release) => {
      const from = statuses.length;
      link.revert(release);
      await until(`answer to the revert of ${release}`, () => statuses.length > from);
    },
    update: async (model) => {
      await world.offer(model);
      await world.confirm(model.offer[0]);
    },
    rekey: async (to) => {
      ring?.rotate(to);
      link.rekey();
      await until(`keys of generation ${to.generation}`, () => ring?.keys().pending === null);
    },
    keys: () => ring?.keys(),
    predict: (window) => feedWindow(window, LENGTH),
    runs: async (models) => {
      const said: (Prediction | undefined)[] = [];
      for (const window of WINDOWS) said.push(await feedWindow(window, LENGTH));
      const heard = JSON.stringify(said);
      return models.find((model) => rightOf(model) === heard);
    },
    end: async () => {
      await link.close();
      await end();
    },
  };
  await until('hello', () => hellos.length > 0);
  return world;
}

const rights = new WeakMap<TinyModel, string>();

/** What a model says of the windows that tell models apart. */
function rightOf(model: TinyModel): string {
  const known = rights.get(model);
  if (known !== undefined) return known;
  const said = WINDOWS.map((window) => {
    const { cls, score } = model.predict(window, LENGTH);
    return { cls, score };
  });
  const right = JSON.stringify(said);
  rights.set(model, right);
  return right;
}
