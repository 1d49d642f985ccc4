import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { loadBoard } from '../../../board.ts';
import { type Composed, compose } from '../../../compose.ts';
import { type Clock, type Port, realClock } from '../../../link/port.ts';
import { virtualClock } from '../../../link/virtual/clock.ts';
import { type Faults, lossyPair } from '../../../link/virtual/lossy-port.ts';
import { createRandom } from '../../../random.ts';
import { syntheticRecordings } from '../../../synthetic/recordings.ts';
import { wearer } from '../../../synthetic/wearer.ts';
import type { Task } from '../../../task.ts';
import { type CoreDevice, createCoreDevice } from '../fleet/core-device.ts';
import { benchTask } from '../fleet/task.ts';
import { type Attacker, attacker, type End, type Ring } from './attacker.ts';

/** From one window of a device to its next: as fast as its windows can follow one another, nearly. */
const WINDOW_MS = 2000;
/** Virtual time between two looks at what is to be done; commits happen at each of them. */
const STEP_MS = 100;
const EPOCH_MS = Date.UTC(2026, 0, 1);

/** What devices there are, in turns; the ring of all but the first is so small that it overflows. */
export const DEVICES = [
  { name: 'espruino-linux', suite: 'none' },
  { name: 'puckjs', suite: 'ccm' },
  { name: 'pixljs', suite: 'mac' },
] as const;

/** A gateway's life in this process, and what ends with it. */
interface Life {
  gateway: Composed;
  directory: string;
  isAlive: boolean;
}

/** A gateway and its devices on bad cables, in virtual time. */
export interface LinkWorld {
  readonly task: Task;
  readonly clock: Clock;
  readonly pool: ReturnType<typeof syntheticRecordings>;
  readonly devices: readonly CoreDevice[];
  /** undefined while it is down */
  readonly gateway: Composed | undefined;
  /** how often it was killed; the next time may be on its way */
  readonly kills: number;
  readonly isDoomed: boolean;
  /** The gateway's data directory as it is now. */
  readonly directory: string;
  /** frames that somebody without keys said so far, to devices that have some and in their names */
  readonly forged: number;
  /**
   * Sets what happens to each write, either way.
   *
   * @param forgeries how many of them are followed by a frame of somebody else, 0 to 1; default none
   */
  faults(faults: Faults, forgeries?: number): void;
  /** New keys for one of the devices whose suite allows it, while the gateway is up. */
  rekey(): void;
  /** Kills the gateway: now, or in the middle of the writes to its ports. */
  kill(when: 'now' | 'write'): void;
  /** Starts a gateway on what the killed one left on its disk. */
  start(): Promise<void>;
  /** Lets time pass; devices that are on see a window now and then. */
  step(isMoving?: boolean): Promise<void>;
  close(): Promise<void>;
}

/**
 * Makes a world whose gateway runs and whose devices are off.
 *
 * @param count of devices
 * @param seed of everything
 */
export async function linkWorld(count: number, seed: number): Promise<LinkWorld> {
  const task = benchTask();
  const clock = virtualClock(EPOCH_MS);
  const random = createRandom(seed);
  const root = mkdtempSync(join(tmpdir(), 'whetstone-link-'));
  const pool = syntheticRecordings(task, wearer(seed, 'ann'), 8, seed);
  const pairs = Array.from({ length: count }, (_, i) =>
    lossyPair(clock, seed * 1000 + i, {}, `cable-${i}`),
  );
  const settings = { task, automatic: false, seed, durability: 'process' } as const;
  let directory = join(root, '0');
  const flashed = compose({ ...settings, directory, clock: realClock });
  const ring: Ring = { random: createRandom(seed, 3_000_000), share: 0, said: 0, heard: heard() };
  const cables = pairs.map(([port, far], i) => {
    const { name, suite } = DEVICES[i % DEVICES.length]!;
    const id = `device-${i}`;
    const board = loadBoard(name);
    const made = { id, clock, board, task, pool, random: createRandom(seed, 1 + i) };
    if (suite === 'none') return { port, device: createCoreDevice({ ...made, port: far }) };
    const { present } = flashed.store.keys.add(id, { board: name, suite, at: 0 });
    const eve = attacker(id, ring);
    const keys = { suite, keys: { ...present, sequence: 1 } };
    const device = createCoreDevice({ ...made, keys, port: tapped(far, 'device', eve) });
    return { port: tapped(port, 'gateway', eve), device };
  });
  await flashed.close();
  const devices = cables.map(({ device }) => device);
  const due = devices.map(() => clock.now() + random.integer(WINDOW_MS));
  let life: Life | undefined;
  let lives = 0;
  let writesLeft = Infinity;

  function kill(): void {
    if (life === undefined) return;
    // what the operating system has of its files is what a killed process leaves behind
    directory = join(root, String(++lives));
    cpSync(life.directory, directory, {
      recursive: true,
      filter: (path) => !path.endsWith('.lock'),
    });
    life.isAlive = false;
    void bury(life);
    life = undefined;
    writesLeft = Infinity;
  }

  /** Whatever it had begun comes to its end where nobody hears of it. */
  async function bury(dead: Life): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    dead.gateway.store.close();
    rmSync(dead.directory, { recursive: true, force: true });
  }

  /** The gateway's end of a cable, for one life of it. */
  function end(port: Port, of: { isAlive: boolean }): Port {
    return {
      ...{ name: port.name, virtual: true },
      open: () => port.open(),
      close: async () => {
        if (of.isAlive) await port.close();
      },
      write: (bytes) => {
        if (!of.isAlive) return;
        if (--writesLeft < 0) kill();
        else port.write(bytes);
      },
      onData: (receive) => port.onData((bytes) => of.isAlive && receive(bytes)),
      onClose: (closed) => port.onClose((why) => of.isAlive && closed(why)),
    };
  }

  async function start(): Promise<void> {
    const mine = { directory, isAlive: true } as Life;
    const own: Clock = {
      now: () => Math.floor(clock.now()), // whole ms, as a computer has them
      setTimeout: (callback, ms) => clock.setTimeout(() => mine.isAlive && callback(), ms),
      clearTimeout: (timer) => clock.clearTimeout(timer),
    };
    mine.gateway = compose({ ...settings, directory, clock: own });
    life = mine;
    for (const { port } of cables) {
      if (mine.isAlive) await mine.gateway.loop.attach(end(port, mine));
    }
  }

  await start();
  return {
    ...{ task, clock, pool, devices, start },
    get gateway() {
      return life?.gateway;
    },
    get kills() {
      return lives;
    },
    get isDoomed() {
      return writesLeft < Infinity;
    },
    get directory() {
      return directory;
    },
    get forged() {
      return ring.said;
    },
    faults: (faults, forgeries = 0) => {
      ring.share = forgeries;
      for (const ends of pairs) for (const port of ends) port.faults = faults;
    },
    rekey: () => {
      const able = devices.filter((_, i) => DEVICES[i % DEVICES.length]!.suite === 'ccm');
      const { id } = able[random.integer(able.length)]!;
      life?.gateway.store.keys.rotate(id);
      life?.gateway.loop.online.get(id)?.rekey();
    },
    kill: (when) => {
      if (when === 'now') kill();
      else writesLeft = random.integer(50);
    },
    step: async (isMoving = true) => {
      const now = clock.now();
      for (const [i, device] of devices.entries()) {
        if (due[i]! > now) continue;
        due[i] = now + WINDOW_MS;
        if (isMoving && device.isOn) device.see(random.integer(pool.length));
      }
      await clock.advance(STEP_MS);
      await setImmediate();
    },
    close: async () => {
      for (const device of devices) device.cut('now');
      await life?.gateway.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

const heard = (): Ring['heard'] => ({ gateway: [], device: [] });

/** An end of a cable on which somebody listens, and says something now and then. */
function tapped(port: Port, to: End, eve: Attacker): Port {
  return {
    ...{ name: port.name, virtual: true, open: port.open, close: port.close },
    ...{ write: port.write, onClose: port.onClose },
    onData: (receive) =>
      port.onData((bytes) => {
        receive(bytes);
        const frame = eve.hears(to, bytes);
        if (frame !== undefined) receive(frame);
      }),
  };
}
