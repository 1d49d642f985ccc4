import { setTimeout as wait } from 'node:timers/promises';
import { kindOf } from '../../device/kind.ts';
import type { BoardProfile } from '../board.ts';
import type { AddKeys, Calls } from '../calls.ts';
import { compose } from '../compose.ts';
import { GatewayError } from '../errors.ts';
import { type Port, realClock } from '../link/port.ts';
import { createService } from '../service.ts';
import type { StoreKey } from '../store/store-key.ts';
import type { Task } from '../task.ts';

/** What became of a device's first hello. */
export interface Greeting {
  /** ms from the board's start to its hello at the gateway */
  helloMs: number;
  tier: string;
  suite: string;
  /** the version that runs now; null while there is none */
  version: string | null;
  release: number;
  /** of golden windows, on the device; null where no model was brought */
  selfTest: 'equal' | null;
  /** bytes on the wire of bringing the model; 0 where none was brought */
  modelWireBytes: number;
}

/** Whose hello is waited for. */
export interface Greeted {
  device: string;
  /** its first model; null where there is none */
  version: string | null;
  /** stops the waiting */
  signal?: AbortSignal;
}

/** The gateway that keeps a device's keys and hears its first hello. */
export interface Keeper {
  /** for people */
  readonly where: string;
  calls: Calls;
  /** The version a device should begin with: the one asked for, else the champion of the fleet. */
  version(asked: string | undefined): Promise<string | null>;
  /** Whether the first model is brought by `greet`; else it has to be in the slot file. */
  readonly brings: boolean;
  /**
   * Hears the device's hello over its link; brings the model by an update, self-test included.
   *
   * @throws GatewayError 'port' if there is no hello in time, 'bad-model' if the device refuses the model;
   *   what stopped it
   */
  greet(port: Port, what: Greeted): Promise<Greeting>;
  close(): Promise<void>;
}

/** Boot, and two hellos that may be lost: see device/core/link.ts. */
const HELLO_MS = 30_000;
/** A model at 9,600 baud, and its self-test. */
const MODEL_MS = 120_000;
const LOOK_MS = 50;
const CONFIRMED = 1;

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

async function until<T>(
  look: () => T | undefined | Promise<T | undefined>,
  ms: number,
  signal: AbortSignal | undefined,
) {
  const deadline = Date.now() + ms;
  for (;;) {
    signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined || Date.now() > deadline) return found;
    await wait(LOOK_MS);
  }
}

const noHello = (
  device: string,
  hint = 'is the cable on the port that the runtime speaks on? see docs/flashing.md',
): GatewayError =>
  new GatewayError('port', `${device} was started, and said no hello in ${seconds(HELLO_MS)}`, {
    hint,
  });

/** A gateway that runs: it holds the keys, and hears the device on a port of its own. */
export function runningKeeper(calls: Calls, url: string): Keeper {
  return {
    where: `the gateway at ${url}`,
    calls,
    brings: false,
    version: (asked) => versionOf(calls, asked),
    async greet(port, { device, version, signal }) {
      const begun = Date.now();
      const seen = await until(
        async () => {
          const found = (await calls.devices()).find(({ id }) => id === device);
          return found?.connected ? found : undefined;
        },
        HELLO_MS,
        signal,
      );
      if (seen === undefined) {
        throw noHello(
          device,
          `does the gateway at ${url} hear that port? The board is written; on that gateway's computer: npx whetstone ports add ${port.name.replace(/^ble /, '--ble ')}`,
        );
      }
      const { release, link } = seen;
      return {
        ...{ helloMs: Date.now() - begun, tier: '', suite: link.suite ?? 'none', release },
        ...{ version: seen.version ?? version, selfTest: null, modelWireBytes: 0 },
      };
    },
    close: async () => {},
  };
}

/**
 * A gateway's data while no gateway runs: opened for as long as flashing takes.
 *
 * @throws GatewayError 'in-use' while its gateway runs, and what else opening it throws
 */
export function storedKeeper(options: {
  directory: string;
  task: Task;
  key?: StoreKey | undefined;
  allowWeakLink: boolean;
  /** what people are told of it, where it is another than `directory` */
  named?: string;
}): Keeper {
  const { directory, task, key, allowWeakLink, named = directory } = options;
  const gateway = compose({
    ...{ task, directory, clock: realClock, automatic: false, seed: 1, allowWeakLink, key },
    monotonic: () => performance.now(),
  });
  const sentence = 'a board is being flashed';
  const service = createService(gateway, { sentence, startedAt: Date.now(), allowWeakLink });
  const { loop, store, registry } = gateway;

  async function bring(
    connection: Awaited<ReturnType<typeof loop.attach>>,
    device: string,
    version: string,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const release = registry.latestRelease(version);
    if (release === undefined) {
      throw new GatewayError('not-allowed', `${version.slice(0, 8)} was never released`, {
        hint: `release it: whetstone promote ${version.slice(0, 8)}`,
      });
    }
    const { bytes, expires, ...offer } = registry.offer(release, task.name);
    const { board } = store.devices.get(device)!;
    const said: { selfTest?: boolean; refused?: string } = {};
    const forget = store.journal.watch(({ kind, subject, data }) => {
      if (subject !== device || (data as { release?: number }).release !== release) return;
      if (kind === 'device.selftest') said.selfTest = (data as { equal: boolean }).equal;
      if (kind === 'update.refused') said.refused = String((data as { code: string }).code);
    });
    try {
      connection.offer(
        {
          ...{ ...offer, trialWindows: task.rollout.trialWindows },
          ...{ kind: kindOf(board, task.name), expires: Math.floor(expires / 1000) },
        },
        bytes,
      );
      await until(() => said.refused ?? said.selfTest, MODEL_MS, signal);
      if (said.selfTest !== true) {
        const why =
          said.refused ?? (said.selfTest === false ? 'its self-test differs' : 'no answer');
        throw new GatewayError('bad-model', `${device} does not take the model: ${why}`, {
          hint: 'the runtime is on the board; whetstone events says more',
        });
      }
      const runs = await until(
        () => {
          connection.confirm(release);
          const is = store.devices.get(device);
          return is?.release === release && is.state === CONFIRMED ? is : undefined;
        },
        HELLO_MS,
        signal,
      );
      if (runs === undefined) {
        throw new GatewayError('port', `${device} did not confirm release ${release}`);
      }
      return release;
    } finally {
      forget();
    }
  }

  return {
    where: `the store in ${named}`,
    calls: service.call,
    brings: true,
    version: (asked) => versionOf(service.call, asked),
    async greet(port, { device, version, signal }) {
      const begun = Date.now();
      const before = store.devices.get(device)?.session;
      const connection = await loop.attach(port);
      try {
        const here = await until(
          () => {
            const is = store.devices.get(device);
            return loop.online.has(device) && is?.session !== before ? is : undefined;
          },
          HELLO_MS,
          signal,
        );
        if (here === undefined) throw noHello(device);
        const helloMs = Date.now() - begun;
        const release =
          version === null ? undefined : await bring(connection, device, version, signal);
        const wire = release === undefined ? undefined : connection.stats().wire.get(release);
        const now = store.devices.get(device)!;
        return {
          ...{ helloMs, tier: now.tier, suite: loop.linkOf(device)?.suite ?? 'none' },
          ...{ version: now.version, release: now.release },
          selfTest: release === undefined ? null : 'equal',
          modelWireBytes: (wire?.sent ?? 0) + (wire?.received ?? 0),
        };
      } finally {
        await connection.close();
      }
    },
    close: async () => {
      service.close();
      await gateway.close();
    },
  };
}

async function versionOf(calls: Calls, asked: string | undefined): Promise<string | null> {
  const models = await calls.models();
  if (asked !== undefined && asked !== 'latest') return (await calls.model(asked)).version;
  const champion = models.find(({ stage, scope }) => stage === 'champion' && scope === 'fleet');
  if (champion === undefined && asked === 'latest') {
    throw new GatewayError('not-found', 'the fleet has no model yet', {
      hint: 'leave --model out: the device takes its first one when it is trained',
    });
  }
  return champion?.version ?? null;
}

/** A device's keys with its slot file; new ones where it has some. */
export async function keysFor(
  keeper: Keeper,
  board: BoardProfile,
  request: { device: string; suite?: 'ccm' | 'mac'; replace: boolean; model: string | null },
): Promise<{ slot: Uint8Array; suite: 'ccm' | 'mac' }> {
  const { device, suite, replace, model } = request;
  const wanted: AddKeys = {
    ...{ device, board: board.name, replace },
    ...(suite !== undefined && { suite }),
    ...(model !== null && { model }),
  };
  const added = await keeper.calls.addKeys(wanted);
  return { slot: Buffer.from(added.image, 'base64'), suite: added.suite };
}
