import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bundle, buildBundle } from '../../../device/build.ts';
import { pushSample, startWindows } from '../../../device/core/window.ts';
import { windowOptions } from '../../../device/window-options.ts';
import { GROUP_MS } from '../../alarms.ts';
import { loadBoard } from '../../board.ts';
import { type Composed, compose } from '../../compose.ts';
import { GatewayError } from '../../errors.ts';
import { importRecordings } from '../../imports.ts';
import { type Clock, type Port, realClock } from '../../link/port.ts';
import { motion } from '../../synthetic/motion.ts';
import { syntheticRecordings } from '../../synthetic/recordings.ts';
import { someoneElse, type Triple, type Wearer, wearer } from '../../synthetic/wearer.ts';
import { loadTask, type Task } from '../../task.ts';
import { now, type Seen, type TimedDevice, timedDevice } from './timed-device.ts';

/** One window's way: moments in ms since 1970. */
export interface Way extends Seen {
  /** decoded and checked by the gateway, on its way into the store */
  arrivedAt: number;
  /** committed */
  storedAt: number;
  /** an alarm that it raised was written */
  alarmAt: number | undefined;
}

/** A whole gateway on disk, and a real Espruino that takes one name after the other. */
export interface LatencyWorld {
  /**
   * Boots the device under a name that the gateway does not know; the model stays on its flash. What it
   * meets has nothing to do with the devices before: they were half a minute and more ago.
   */
  boot(id: string): Promise<void>;
  /** Lets it see a window of its wearer, or of somebody else. */
  see(isElse: boolean): Promise<Way>;
  /** bytes that one of its windows is on the wire, on the average so far */
  windowBytes(): number;
  close(): Promise<void>;
}

/** What normality is learned from: few windows, so that an alarm does not take hundreds. */
const MONITOR = { referenceWindows: 20, recentWindows: 10 };
const FACTORY = { people: 2, perClass: 12 };
const PATIENCE_MS = 60_000;

/**
 * @param path of Espruino
 * @param reach makes the gateway's port of the device's serial line
 * @param timers the gateway's clock, which is put forward between two devices
 */
export async function latencyWorld(
  path: string,
  reach: (port: Port, id: string) => Promise<Port>,
  timers: Clock = realClock,
): Promise<LatencyWorld> {
  const loaded = loadTask('gesture');
  const { training } = loaded;
  const task: Task = {
    ...loaded,
    monitor: { ...loaded.monitor, ...MONITOR },
    // how good the model is does not matter here
    training: { ...training, augment: { ...training.augment, perClass: 60 } },
    send: { ...loaded.send, confidentOneIn: 1 },
    rollout: { ...loaded.rollout, soakWindows: 3 },
  };
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-latency-'));
  // Of alarms that come within half a minute the gateway takes all but two for the same cause, and tells
  // of them together when it is over. Devices follow each other faster than that here.
  let aheadMs = 0;
  const clock: Clock = { ...timers, now: () => timers.now() + aheadMs };
  const gateway: Composed = compose({
    ...{ task, directory: join(folder, 'data'), clock, automatic: false, seed: 1 },
    allowWeakLink: true, // it has no keys
  });
  const { loop, store } = gateway;
  /** of the newest window */
  let committed: Pick<Way, 'arrivedAt' | 'storedAt'> | undefined;
  const { add } = store.samples;
  (store.samples as { add: typeof add }).add = async (sample) => {
    const arrivedAt = now();
    const outcome = await add(sample);
    committed ??= { arrivedAt, storedAt: now() };
    return outcome;
  };
  let alarmAt: number | undefined;
  store.journal.watch(({ kind }) => {
    if (kind === 'alarm.raised') alarmAt = now();
  });
  const ann = wearer(1, 'ann');
  for (let i = 0; i < FACTORY.people; i++) {
    const windows = syntheticRecordings(
      task,
      i === 0 ? ann : wearer(1 + i, `w${i}`),
      FACTORY.perClass,
      i,
    );
    await importRecordings(store, task, `synthetic ${i}`, windows, Date.now());
  }
  const board = loadBoard('espruino-linux');
  const bundle: Bundle = await buildBundle({ board, task });
  const streams = [ann, someoneElse(ann, 1, 'bob')].map((who) => windowsOf(task, who));
  let device: TimedDevice | undefined;
  let connection: Awaited<ReturnType<typeof loop.attach>> | undefined;
  let name = '';
  let flash: string | undefined;
  let seen = 0;
  let received = 0;

  async function until<T>(find: () => T | undefined): Promise<T> {
    for (const end = now() + PATIENCE_MS; now() < end; ) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    throw new GatewayError('port', `${name} keeps the gateway waiting`);
  }

  async function leave(): Promise<void> {
    await connection?.close();
    await device?.stop();
    connection = undefined;
    device = undefined;
  }

  async function boot(id: string): Promise<void> {
    await leave();
    aheadMs += GROUP_MS;
    name = id;
    const cwd = join(folder, id);
    mkdirSync(cwd);
    if (flash !== undefined) copyFileSync(flash, join(cwd, 'espruino.flash'));
    device = await timedDevice({ path, bundle, id, cwd }, task.sensor.rateHz);
    connection = await loop.attach(await reach(device.port, id));
    await until(() => (loop.online.has(id) ? true : undefined));
    if (flash === undefined) await teach();
    flash = join(cwd, 'espruino.flash');
  }

  /** The first model, from the factory's windows. */
  async function teach(): Promise<void> {
    const { rollout, reason } = await loop.heal({ kind: 'fleet', id: '' });
    if (rollout === null) throw new GatewayError('bad-model', `no first model: ${reason}`);
    await until(() =>
      loop.rollouts.get(rollout)?.stage !== 'canary' || isOnTrial() ? true : undefined,
    );
    while (loop.rollouts.get(rollout)?.stage !== 'settled') {
      await device!.see(streams[0]!());
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const isOnTrial = (): boolean => (store.devices.get(name)?.release ?? 0) > 0;

  return {
    boot,
    see: async (isElse) => {
      alarmAt = undefined;
      committed = undefined;
      const before = connection!.stats().bytesIn;
      const moments = await device!.see(streams[isElse ? 1 : 0]!());
      if (moments === undefined) throw new GatewayError('bad-model', `${name} runs no model`);
      const stored = await until(() => committed);
      // the monitor looks at it in the same turn
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen++;
      received += connection!.stats().bytesIn - before;
      return { ...moments, ...stored, alarmAt };
    },
    windowBytes: () => Math.round(received / Math.max(1, seen)),
    close: async () => {
      await leave();
      await gateway.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Samples up to the one that ends a window, and so on. */
function windowsOf(task: Task, who: Wearer): () => Triple[] {
  const stream = motion(task, who, 5, [0.4, 1]);
  const state = startWindows(windowOptions(task));
  return () => {
    const samples: Triple[] = [];
    for (;;) {
      const { values } = stream.next();
      samples.push(values);
      if (pushSample(state, values) !== undefined) return samples;
    }
  };
}
