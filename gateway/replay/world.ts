import { setTimeout as sleep } from 'node:timers/promises';
import type { Composed } from '../compose.ts';
import { GatewayError } from '../errors.ts';
import type { Healed } from '../heal.ts';
import type { VirtualClock } from '../link/virtual/clock.ts';
import type { Prediction } from '../link/virtual/device.ts';
import type { Recording } from '../recordings.ts';
import type { ReplayOptions, ReplaySeed } from '../report.ts';
import type { RolloutState } from '../rollout/state.ts';
import { heed } from '../train/trainer.ts';
import type { Fed } from './fed.ts';

/** The devices of a replay, their windows and their time. */
export interface World {
  /**
   * Feeds windows to some devices, one by one; the others go on with the first person's.
   *
   * @param truth `samples` is filled with the ids of the samples that each window became, device by
   *   device; windows in `label` get their label a few windows later, as a person would give it
   * @returns share of the windows that the devices said right
   */
  pass(
    windows: readonly Recording[],
    devices: readonly Fed[],
    truth?: { samples: Map<Recording, number[]>; label: ReadonlySet<Recording> },
  ): Promise<number>;
  /** Says what windows were, a label a step. */
  label(windows: readonly Recording[], samples: ReadonlyMap<Recording, number[]>): Promise<void>;
  /** Rolls the first model out to its end, on the first person's windows. */
  rollOut(healed: Healed): Promise<void>;
  /** Waits until a release runs on one of these devices; the others go on with their windows. */
  arrival(healed: Healed, among: readonly Fed[]): Promise<void>;
  /** Feeds some devices these windows, and the others their own, until rollouts have come to their end. */
  soak(
    healed: readonly Healed[],
    windows: readonly Recording[],
    among: readonly Fed[],
  ): Promise<void>;
  /** Feeds the first person's windows until a rollout has come to its end. */
  settled(healed: Healed): Promise<void>;
  /** Lets time pass until something holds. @throws GatewayError 'port' if it never does */
  until(what: string, holds: () => boolean, must?: boolean): Promise<void>;
  /** windows that a real device was given together with a virtual one, and different predictions */
  readonly compared: { windows: number; different: number };
  /** windows that devices saw and the store does not have */
  lost(): number;
  counts(healed: readonly Healed[]): Pick<ReplaySeed, 'rollouts' | 'samples' | 'selfTests'>;
}

/** Steps without anything to feed before waiting is given up. */
const PATIENCE = 2000;
/** A label comes this many windows after its gesture; the device still holds the raw window then. */
const LABEL_LAG = 3;
/** Stages that end by themselves, by what the device does. */
const UNDER_WAY = ['offered', 'transferring', 'installed', 'confirming', 'reverting', 'returning'];
/** Real time that a real device may take for one of them. */
const REAL_PATIENCE_MS = 20_000;
/** Stages of a device on which a release runs. */
const THERE = ['trial', 'confirming', 'confirmed'];
/** Real time of a step while a real device is waited for. */
const REAL_STEP_MS = 5;

/** What a world is made of. */
export interface WorldParts {
  gateway: Composed;
  clock: VirtualClock;
  /** virtual time from one window to the next */
  stepMs: number;
  devices: readonly Fed[];
  /** windows of the first person, not trained on */
  own: readonly Recording[];
  options: Pick<ReplayOptions, 'speed' | 'signal'>;
}

/** @param parts devices, attached, and their gateway */
export function createWorld({ gateway, clock, stepMs, devices, own, options }: WorldParts): World {
  const { store, loop } = gateway;
  const isReal = devices.some((device) => device.isReal);
  let turn = 0;
  const compared = { windows: 0, different: 0 };

  async function step(): Promise<void> {
    heed(options.signal, 'the replay');
    store.flush();
    await clock.advance(stepMs);
    store.flush();
    await clock.advance(0);
    if (isReal) await realTime();
    if (options.speed === 'real') await sleep(stepMs);
  }

  /** An update travels to a real device in real time: virtual time keeps pace until it is there. */
  async function realTime(): Promise<void> {
    const until = Date.now() + REAL_PATIENCE_MS;
    do {
      await sleep(REAL_STEP_MS);
      store.flush();
      await clock.advance(REAL_STEP_MS);
    } while (isBusy() && Date.now() < until);
  }

  /** Whether a real device is between two stages of a rollout, and not waiting for windows. */
  function isBusy(): boolean {
    const real = devices.filter((device) => device.isReal).map(({ id }) => id);
    return loop.rollouts
      .list()
      .some(({ members }) => real.some((id) => UNDER_WAY.includes(members[id]?.stage ?? '')));
  }

  async function feedOwn(among: readonly Fed[]): Promise<void> {
    const recording = own[turn++ % own.length]!;
    for (const device of among) await device.feed(recording);
  }

  async function until(what: string, holds: () => boolean, must = true): Promise<void> {
    for (let i = 0; i < PATIENCE && !holds(); i++) await step();
    if (must && !holds()) throw new GatewayError('port', `the replay waited in vain: ${what}`);
  }

  const isOpen = ({ rollout }: Healed): boolean =>
    rollout !== null && ['canary', 'rest', 'returning'].includes(loop.rollouts.get(rollout)!.stage);

  async function soak(
    healed: readonly Healed[],
    windows: readonly Recording[],
    among: readonly Fed[],
  ): Promise<void> {
    const others = devices.filter((device) => !among.includes(device));
    for (let i = 0; i < PATIENCE && healed.some(isOpen); i++) {
      for (const device of among) await device.feed(windows[i % windows.length]!);
      await feedOwn(others);
      await step();
    }
    if (healed.some(isOpen)) {
      throw new GatewayError('port', 'the replay waited in vain: the rollout settles');
    }
  }

  const settled = (healed: Healed): Promise<void> => soak([healed], [], []);

  /** A real device must say what the virtual ones say of the same window, class and score. */
  function compare(said: ReadonlyMap<Fed, Prediction | undefined>): void {
    const real = [...said].find(([device]) => device.isReal)?.[1];
    const double = [...said].findLast(([device]) => !device.isReal)?.[1];
    if (!isReal) return;
    compared.windows++;
    if (real?.cls !== double?.cls || real?.score !== double?.score) compared.different++;
  }

  const seen = (): number => devices.reduce((sum, device) => sum + device.said.length, 0);
  const stored = (): number =>
    devices.reduce((sum, { id }) => sum + store.samples.count({ device: id }), 0);

  async function label(
    windows: readonly Recording[],
    samples: ReadonlyMap<Recording, number[]>,
  ): Promise<void> {
    for (const recording of windows) {
      for (const sample of samples.get(recording)!) {
        const { cls } = recording;
        const truth = loop.truth({ sample, cls, source: 'person', trust: 1 });
        store.flush();
        await truth;
      }
      await step();
    }
  }

  return {
    until,
    soak,
    settled,
    async pass(windows, among, truth) {
      const others = devices.filter((device) => !among.includes(device));
      const late: Recording[] = [];
      let right = 0;
      for (const recording of windows) {
        const said = new Map<Fed, Prediction | undefined>();
        for (const device of among) said.set(device, await device.feed(recording));
        for (const prediction of said.values()) if (prediction?.cls === recording.cls) right++;
        compare(said);
        await feedOwn(others);
        await step();
        if (truth === undefined) continue;
        await until('a window is stored', () => seen() === stored());
        truth.samples.set(
          recording,
          among.map(({ id }) => store.samples.latest(id, 1)[0]!.id),
        );
        if (truth.label.has(recording)) late.push(recording);
        const due = windows[windows.indexOf(recording) - LABEL_LAG];
        if (due === late[0] && due !== undefined) await label(late.splice(0, 1), truth.samples);
      }
      if (truth !== undefined) await label(late, truth.samples);
      return right / (windows.length * among.length);
    },
    label,
    async rollOut(healed) {
      if (healed.rollout === null) {
        throw new GatewayError('bad-recordings', `no first model: ${healed.reason}`, {
          hint: 'its recordings are too few or too mixed for the task',
        });
      }
      await settled(healed);
    },
    async arrival({ rollout }, among) {
      if (rollout === null) return;
      const others = devices.filter((device) => !among.includes(device));
      const state = (): RolloutState => loop.rollouts.get(rollout)!;
      const isThere = ({ id }: Fed): boolean => THERE.includes(state().members[id]?.stage ?? '');
      const waits = (): boolean =>
        ['canary', 'rest'].includes(state().stage) && !among.some(isThere);
      for (let i = 0; i < PATIENCE && waits(); i++) {
        await feedOwn(others); // they may be the canaries of a shared model
        await step();
      }
      if (waits()) throw new GatewayError('port', 'the replay waited in vain: the update arrives');
    },
    compared,
    lost: () => seen() - stored(),
    counts(healed) {
      const members = healed.flatMap(({ rollout }) =>
        rollout === null ? [] : Object.values(loop.rollouts.get(rollout)!.members),
      );
      const tests = store.journal.find({ kind: 'device.selftest' });
      const equal = tests.filter(({ data }) => data.equal === true).length;
      const difference = seen() - stored();
      return {
        rollouts: {
          updated: members.filter(({ stage }) => stage === 'confirmed').length,
          reverted: members.filter(({ stage }) => ['failed', 'reverting', 'back'].includes(stage))
            .length,
        },
        samples: { lost: Math.max(0, difference), duplicated: Math.max(0, -difference) },
        selfTests: { equal, different: tests.length - equal },
      };
    },
  };
}
