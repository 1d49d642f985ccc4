import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Bundle, buildBundle } from '../../device/build.ts';
import { loadBoard } from '../../gateway/board.ts';
import type { Budget } from '../../gateway/budget/budget.ts';
import { type Composed, compose } from '../../gateway/compose.ts';
import { importRecordings } from '../../gateway/imports.ts';
import type { Clock, Port } from '../../gateway/link/port.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import { createVirtualDevice, type VirtualDevice } from '../../gateway/link/virtual/device.ts';
import type { Recording } from '../../gateway/recordings.ts';
import type { RolloutState } from '../../gateway/rollout/state.ts';
import type { Task } from '../../gateway/task.ts';

/** Where virtual time begins. */
export const EPOCH_MS = Date.UTC(2026, 0, 1);
/** Virtual time from one window to the next: longer than a window of the gesture task. */
export const STEP_MS = 4000;

const board = loadBoard('espruino-linux');
const bundles = new Map<string, Promise<Bundle>>();

/** The bundle of a task, built once. */
export function bundleFor(task: Task): Promise<Bundle> {
  const key = JSON.stringify(task);
  const bundle = bundles.get(key) ?? buildBundle({ board, task });
  bundles.set(key, bundle);
  return bundle;
}

/** A folder that is gone after the test, or when `finished` calls back. */
export function temporary(finished: Finished = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-loop-'));
  finished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Takes what is to be done at the end: of a test, or of all in a file (`afterAll`). */
type Finished = (act: () => void | Promise<void>) => void;

/** A cable that can be cut, and that counts what the gateway writes. */
function cable(port: Port, onWrite: () => boolean) {
  let isCut = false;
  const end: Port = {
    name: port.name,
    ...(port.virtual && { virtual: port.virtual }),
    open: () => port.open(),
    close: async () => {
      if (!isCut) await port.close();
    },
    write: (bytes) => {
      if (!isCut && onWrite()) port.write(bytes);
    },
    onData: (receive) =>
      port.onData((bytes) => {
        if (!isCut) receive(bytes);
      }),
    onClose: (closed) => port.onClose(closed),
  };
  const cut = (is: boolean): void => {
    isCut = is;
  };
  return { end, cut };
}

export interface WorldOptions {
  task: Task;
  ids: string[];
  automatic?: boolean;
  budget?: Budget;
  approval?: 'none' | 'canary';
  /** the gateway's clock, made from the one that everything else lives by; default: the same */
  gatewayClock?: (clock: Clock) => Clock;
  /** task that a device's bundle is built for, if not the gateway's */
  taskOf?: (id: string) => Task;
  /** when it ends; default: after the test */
  finished?: Finished;
}

/** A composed gateway in virtual time, with virtual devices that run the built bundle. */
export async function loopWorld(options: WorldOptions) {
  const { task, ids, automatic = false, budget, approval, taskOf, finished } = options;
  const clock = virtualClock(EPOCH_MS);
  let directory = join(temporary(finished), 'data');
  const own = options.gatewayClock?.(clock) ?? clock;
  const settings = {
    task,
    clock: own,
    automatic,
    ...(budget && { budget }),
    ...(approval && { approval }),
  };
  const open = () => compose({ ...settings, directory, seed: 1, durability: 'process' });
  let gateway: Composed = open();
  const devices = new Map<string, VirtualDevice>();
  const cables = new Map<string, ReturnType<typeof cable>>();
  let written = 0;
  let killAt = Infinity;
  let image: string | undefined;

  /** The gateway's disk as it is now: what a killed process leaves behind. */
  function takeImage(): void {
    image = join(temporary(finished), 'data');
    cpSync(directory, image, { recursive: true, filter: (path) => !path.endsWith('.lock') });
  }

  function onWrite(): boolean {
    if (image !== undefined) return false;
    if (++written >= killAt) {
      takeImage();
      return false;
    }
    return true;
  }

  async function attachAll(): Promise<void> {
    for (const [id, device] of devices) {
      const mine = cable(device.port, onWrite);
      cables.set(id, mine);
      await gateway.loop.attach(mine.end);
    }
  }

  for (const [i, id] of ids.entries()) {
    const bundle = await bundleFor(taskOf?.(id) ?? task);
    devices.set(id, createVirtualDevice({ bundle, id, board, clock, seed: 100 + i }));
  }
  await attachAll();
  async function end(): Promise<void> {
    for (const device of devices.values()) await device.dispose();
    await gateway.close();
  }
  (finished ?? onTestFinished)(end);

  async function step(ms = STEP_MS): Promise<void> {
    gateway.store.flush();
    await clock.advance(ms);
    gateway.store.flush();
    await clock.advance(0);
  }

  return {
    ...{ clock, devices, task, step },
    get gateway() {
      return gateway;
    },
    get store() {
      return gateway.store;
    },
    get loop() {
      return gateway.loop;
    },
    /** frames that the gateway wrote to devices */
    get written() {
      return written;
    },
    /** whether the gateway was killed by {@link killAfter} */
    get isKilled() {
      return image !== undefined;
    },
    device: (id: string): VirtualDevice => devices.get(id)!,
    cut: (id: string, isCut: boolean): void => cables.get(id)?.cut(isCut),
    /** Feeds windows to some devices, a window of each a step. */
    async feed(windows: readonly Recording[], among: readonly string[] = ids): Promise<void> {
      for (const { window, length } of windows) {
        for (const id of among) devices.get(id)!.feedWindow(window, length);
        await step();
      }
    },
    /** Feeds a device windows; gives the share of which it says what they are. */
    async accuracyOf(id: string, windows: readonly Recording[]): Promise<number> {
      let right = 0;
      for (const { window, length, cls } of windows) {
        if (devices.get(id)!.feedWindow(window, length)?.cls === cls) right++;
        await step();
      }
      return right / windows.length;
    },
    /** Puts recordings into the store, to learn from. */
    async learn(windows: readonly Recording[]): Promise<void> {
      await importRecordings(gateway.store, task, 'recordings', windows, clock.now());
      await step();
    },
    /** Teaches a first model from recordings, and rolls it out to its end. */
    async teach(windows: readonly Recording[], own: readonly Recording[]): Promise<void> {
      await this.learn(windows);
      const { rollout, reason } = await gateway.loop.heal({ kind: 'fleet', id: '' });
      if (rollout === null) throw new Error(`no first model: ${reason}`);
      await this.finish(rollout, own);
    },
    /** Feeds every device its wearer's windows until a rollout has come to its end; gives its stage. */
    async finish(
      rollout: string,
      own: readonly Recording[],
      others: Record<string, readonly Recording[]> = {},
    ): Promise<string> {
      for (let i = 0; i < 200; i++) {
        const { stage } = gateway.loop.rollouts.get(rollout)!;
        if (['awaiting-approval', 'settled', 'returned', 'superseded'].includes(stage))
          return stage;
        for (const [id, device] of devices) {
          const mine = others[id] ?? own;
          const { window, length } = mine[i % mine.length]!;
          device.feedWindow(window, length);
        }
        await step();
      }
      return gateway.loop.rollouts.get(rollout)!.stage;
    },
    events: (kind: Parameters<Composed['store']['journal']['find']>[0] = {}) =>
      gateway.store.journal.find(kind),
    /** The gateway dies at its n-th frame from now on: nothing that it does then is seen. */
    killAfter(frames: number): void {
      killAt = written + frames;
    },
    /**
     * The killed gateway's disk, as it was at that moment, in a new gateway.
     *
     * @returns the rollouts that it finds there, before a device has said a word
     */
    async revive(): Promise<RolloutState[]> {
      const left = image!;
      for (const one of cables.values()) one.cut(true);
      await gateway.close();
      directory = left;
      image = undefined;
      killAt = Infinity;
      gateway = open();
      const found = structuredClone(gateway.loop.rollouts.list());
      await attachAll();
      return found;
    },
    /** Ends the gateway in order and starts another one on the same directory, perhaps for another task. */
    async restart(next: Task = settings.task): Promise<void> {
      await gateway.close();
      settings.task = next;
      gateway = open();
      await attachAll();
    },
    takeImage,
    end,
  };
}

export type LoopWorld = Awaited<ReturnType<typeof loopWorld>>;
