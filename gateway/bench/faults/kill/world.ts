import { closeSync, constants, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { loadBoard } from '../../../board.ts';
import { type Composed, compose } from '../../../compose.ts';
import { realClock } from '../../../link/port.ts';
import { serialPort } from '../../../link/serial.ts';
import { ptyPair } from '../../../link/virtual/pty.ts';
import { createRandom } from '../../../random.ts';
import { syntheticRecordings } from '../../../synthetic/recordings.ts';
import { wearer } from '../../../synthetic/wearer.ts';
import { type Audit, audit, auditModels, complaints, type ModelAudit } from '../fleet/audit.ts';
import { type CoreDevice, createCoreDevice, type Life } from '../fleet/core-device.ts';
import { mayRun, release, releasesOf } from '../fleet/releases.ts';
import { benchTask } from '../fleet/task.ts';
import { type GatewayProcess, startProcessIn } from './gateway-process.ts';

/** The devices live this much faster than the wall clock, so that one gateway has the load of many. */
const SPEED = 10;
/** From one window of a device to its next, on the wall clock. */
const WINDOW_MS = 100;

/** What devices there are, in turns: boards as they are sold, with the suites that they can do. */
const KINDS = [
  { board: 'espruino-linux', suite: 'ccm' },
  { board: 'pixljs', suite: 'mac' },
] as const;

/** A gateway is up when it says where its page is. */
export const UP = 'dashboard:';
/** All is well again, and what waits does not come: given up. */
export const PATIENCE_MS = 120_000;

/** What SQLite and the devices say of a store between two lives of its gateway. */
export interface Look {
  /** what PRAGMA integrity_check says, where that is not 'ok' */
  damage: string[];
  /** windows that a device was told are stored, and that are neither there nor reported dropped */
  missing: number;
  /** windows acknowledged until now, of all devices */
  told: number;
}

/** A real gateway that can be killed, and devices that outlive it: they are in this process. */
export interface KillWorld {
  readonly devices: readonly CoreDevice[];
  readonly directory: string;
  /** windows acknowledged so far, without those that a device reported dropped by itself */
  told(): number;
  /** Lets the gateway meet its devices, and begins to roll a first model out to them. */
  begin(): Promise<void>;
  /** windows that wait for it */
  waiting(): number;
  /** Starts the gateway, on the load of all devices. */
  start(): GatewayProcess;
  /** Sets its wall clock, ms from the computer's. */
  setClock(offsetMs: number): void;
  /** Opens the store of a gateway that is not running, as its owner: to begin a rollout, say. */
  asOwner<T>(act: (gateway: Composed) => T): Promise<T>;
  /** Draws new keys for a device whose suite allows it; the gateway is not running. */
  rekey(): Promise<void>;
  /** How often keys have changed, and how many changes are not at their end; the gateway is not running. */
  keys(): Promise<{ rekeyed: number; rekeying: number }>;
  /** Looks at the store of a gateway that is not running. */
  look(): Look;
  /** Compares everything that there is. */
  judge(): Promise<Audit & ModelAudit>;
  /** Whether the devices go on making windows. */
  moving: boolean;
  close(): Promise<void>;
}

export interface KillWorldOptions {
  /** folder for ptys and the task */
  root: string;
  /** data directory of the gateway; made by it */
  directory: string;
  devices: number;
  seed: number;
  /** days after which it removes windows for their age; default never */
  maxDays?: number;
}

/** @throws GatewayError 'missing-tool' without socat */
export async function killWorld(options: KillWorldOptions): Promise<KillWorld> {
  const { root, directory, devices: count, seed, maxDays = null } = options;
  const task = benchTask();
  const taskFile = join(root, 'task.json');
  writeFileSync(taskFile, JSON.stringify(task));
  const configFile = join(root, 'config.json');
  writeFileSync(configFile, JSON.stringify({ retention: { maxDays } }));
  const clockFile = join(root, 'clock');
  let offset = 0;
  const setClock = (offsetMs: number): void => {
    offset = offsetMs;
    writeFileSync(`${clockFile}.new`, String(offsetMs));
    renameSync(`${clockFile}.new`, clockFile); // whole at every moment
  };
  setClock(0);
  async function asOwner<T>(act: (gateway: Composed) => T): Promise<T> {
    const clock = { ...realClock, now: () => Date.now() + offset };
    const gateway = compose({ task, directory, clock, automatic: false, seed });
    try {
      return act(gateway);
    } finally {
      await gateway.close();
    }
  }
  const pool = syntheticRecordings(task, wearer(seed, 'ann'), 8, seed);
  const keys = await asOwner(({ store }) =>
    Array.from({ length: count }, (_, i) => {
      const { board, suite } = KINDS[i % KINDS.length]!;
      const { present } = store.keys.add(`device-${i}`, { board, suite, at: 0 });
      return { board: loadBoard(board), keys: { suite, keys: { ...present, sequence: 1 } } };
    }),
  );
  const random = createRandom(seed);
  const closing: (() => void | Promise<void>)[] = [];
  const devices: CoreDevice[] = [];
  const ports: string[] = [];
  for (let i = 0; i < count; i++) {
    const folder = join(root, `pty-${i}`);
    mkdirSync(folder);
    const pair = await ptyPair(folder);
    closing.push(() => pair.close());
    // without anybody who holds it open the cable would be gone with the gateway
    const held = openSync(pair.b, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    closing.push(() => closeSync(held));
    ports.push(pair.b);
    const port = serialPort(pair.a);
    closing.push(() => port.close());
    devices.push(
      createCoreDevice({
        ...{ id: `device-${i}`, port, clock: realClock, task, pool, speed: SPEED, ...keys[i]! },
        random: createRandom(seed, 1 + i),
      }),
    );
  }
  const looked = devices.map(() => 0);
  const toldOf = (life: Life | undefined): number => (life ? life.told - life.excused.size : 0);
  const told = (): number => devices.reduce((sum, { lives }) => sum + toldOf(lives.at(-1)), 0);

  const world: KillWorld = {
    ...{ devices, directory, setClock, told, asOwner, moving: true },
    waiting: () =>
      devices.reduce((sum, { lives }) => sum + lives.at(-1)!.made.length - lives.at(-1)!.told, 0),
    start: () =>
      startProcessIn(
        {
          WHETSTONE_CLOCK_FILE: clockFile,
          NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'set-clock.ts'))}`,
        },
        ...['--virtual', '0', '--http-port', '0', '--data-dir', directory, '--task', taskFile],
        ...['--config', configFile],
        ...ports.flatMap((port) => ['--port', port]),
      ),
    async begin() {
      const gateway = world.start();
      await gateway.says(UP);
      const met = await until(() => devices.every(({ lives }) => lives[0]!.isWelcome), PATIENCE_MS);
      await killNow(gateway);
      if (met === undefined)
        throw new Error(`no devices: ${gateway.output.out}${gateway.output.err}`);
      await world.asOwner((owned) => release(owned, 1, 1));
    },
    rekey: () =>
      asOwner(({ store }) => {
        const able = store.keys.list().filter(({ suite }) => suite === 'ccm');
        store.keys.rotate(able[random.integer(able.length)]!.device);
      }),
    keys: () =>
      asOwner(({ store }) => {
        const all = store.keys.list();
        return {
          rekeyed: all.reduce((sum, { present }) => sum + present.generation - 1, 0),
          rekeying: all.filter(({ pending }) => pending !== null).length,
        };
      }),
    look() {
      const db = new DatabaseSync(join(directory, 'store.db'), { readOnly: true, timeout: 5000 });
      try {
        const damage = complaints(db);
        const between = db.prepare(
          `SELECT count(*) AS n FROM samples WHERE device = ? AND session = ? AND seq > ? AND seq <= ?`,
        );
        let missing = 0;
        for (const [i, { id, lives }] of devices.entries()) {
          const { session, told: to, excused } = lives.at(-1)!;
          const from = looked[i]!;
          const { n } = between.get(id, session, from, to) as { n: number };
          const without = [...excused].filter((seq) => seq > from && seq <= to).length;
          missing += Math.max(0, to - from - n - without);
          looked[i] = to;
        }
        return { damage, missing, told: told() };
      } finally {
        db.close();
      }
    },
    judge: () =>
      world.asOwner((gateway) => {
        const released = releasesOf(gateway);
        const axes = task.sensor.axes.length;
        return {
          ...audit(join(directory, 'store.db'), devices, pool, axes, released),
          ...auditModels(devices, released, mayRun(gateway)),
        };
      }),
    async close() {
      clearInterval(moving);
      for (const device of devices) device.cut('now');
      for (let last = closing.pop(); last !== undefined; last = closing.pop()) await last();
    },
  };
  const due = devices.map(() => Date.now() + random.integer(WINDOW_MS));
  const moving = setInterval(() => {
    const now = Date.now();
    for (const [i, device] of devices.entries()) {
      if (!world.moving || now < due[i]!) continue;
      due[i] = now + WINDOW_MS;
      device.see(random.integer(pool.length));
    }
  }, 10);
  for (const device of devices) await device.boot();
  return world;
}

/** Ends a process as the kernel does when memory runs out. */
export async function killNow(process: GatewayProcess): Promise<void> {
  process.child.kill('SIGKILL');
  await process.ended;
}

/** Waits until something is so. @returns ms that it took; undefined if it did not come in time */
export async function until(is: () => boolean, patienceMs: number): Promise<number | undefined> {
  const begun = performance.now();
  while (!is()) {
    if (performance.now() - begun > patienceMs) return undefined;
    await setTimeout(10);
  }
  return performance.now() - begun;
}
