import { join } from 'node:path';
import type { Faults } from '../../link/virtual/lossy-port.ts';
import { createRandom } from '../../random.ts';
import type { MemberStage } from '../../rollout/state.ts';
import { type BenchRow, round } from '../report.ts';
import { type Audit, audit, auditModels, type ModelAudit } from './fleet/audit.ts';
import { goesOn, mayRun, release, releasesOf } from './fleet/releases.ts';
import { DEVICES, linkWorld } from './link/world.ts';
import type { FaultsOptions } from './part.ts';

/** How much is done. */
export interface LinkPlan {
  seed: number;
  devices: number;
  /** times that each side is killed while a phase goes on, in all phases together */
  kills: number;
  /** virtual time of each phase */
  phaseMs: number;
  /** what the cable does, one after the other */
  phases: readonly Faults[];
  /** virtual time from one change of a device's keys to the next of another's */
  rekeyMs: number;
}

/** What came of it. */
export interface LinkResult extends Audit, ModelAudit {
  gatewayKills: number;
  deviceKills: number;
  /** frames that somebody without keys said on the cables of those who have some */
  forged: number;
  /** changes of keys that devices have taken, and those that are still on their way at the end */
  rekeyed: number;
  rekeying: number;
  /** rollouts by the stage in which they ended; 'under way' for those that did not */
  rollouts: Record<string, number>;
  /** devices that run no confirmed model at the end */
  unsettled: number;
  /** virtual ms from the last fault until everything that waited then was acknowledged */
  linkMs: number;
  /** and until no rollout was under way and every device ran a confirmed model */
  rolloutMs: number;
}

const KINDS = ['drop', 'duplicate', 'reorder', 'corrupt', 'cut', 'stall'] as const;
const SHARES = [0.1, 0.2, 0.3];
/** A stalled link waits this long: with three writes in ten stalled, four a second still pass. */
const STALL_MS = 800;

/** Every fault alone, weaker and stronger, then all of them together. */
const SWEEP: readonly Faults[] = [
  ...KINDS.flatMap((kind) => SHARES.map((share) => ({ [kind]: share, stallMs: STALL_MS }))),
  ...SHARES.map(all),
];

/** All faults together, each for this share of the writes. */
function all(share: number): Faults {
  const each = Object.fromEntries(KINDS.map((kind) => [kind, share]));
  return { ...each, stallMs: STALL_MS };
}

const FULL: LinkPlan = {
  seed: 5,
  devices: 200,
  kills: 100,
  phaseMs: 120_000,
  phases: SWEEP,
  rekeyMs: 20_000,
};
/** The same in seconds. */
export const SHORT: LinkPlan = {
  ...{ seed: 5, devices: 12, kills: 8, phaseMs: 60_000, rekeyMs: 10_000 },
  phases: [all(0.1), all(0.3)],
};

/** Of what is written on a cable of a device with keys, how much is followed by a forgery. */
const FORGERIES = 0.03;

/** Where a device needs nothing more of a rollout. */
const ENDS: ReadonlySet<MemberStage> = new Set(['confirmed', 'refused', 'failed', 'back']);
/** How long a side stays away, at most. */
const AWAY_MS = 8000;
/** The link is good again and still nothing converges: given up. */
const PATIENCE_MS = 1_800_000;

/**
 * The link under every fault: devices run the core itself, a gateway of its own process state and disk
 * hears them over bad cables, and both are killed again and again.
 */
export async function rows(options: FaultsOptions): Promise<BenchRow[]> {
  const plan = options.short ? SHORT : FULL;
  return rowsOf(await runLink(plan, options.onProgress), plan);
}

/** Runs a plan. @param tell told what goes on, for people */
export async function runLink(
  plan: LinkPlan,
  tell: (what: string) => void = () => {},
): Promise<LinkResult> {
  const { seed, devices: count, kills, phaseMs, phases, rekeyMs } = plan;
  const world = await linkWorld(count, seed);
  const random = createRandom(seed, 1_000_000);
  const { clock, devices } = world;
  let models = 0;
  const back = new Map<number, number>(); // device → when its power returns
  let startsAt = Infinity; // of the gateway
  let rekeyAt = 0;

  /** A new version as soon as the last has come to its end; some are ordered back midway. */
  function rollOut(): void {
    const rollouts = world.gateway?.loop.rollouts;
    if (rollouts === undefined) return;
    const newest = rollouts.list().at(-1);
    if (newest !== undefined && goesOn(newest.stage)) {
      const canGoBack = Object.values(newest.members).some(({ previous }) => previous !== null);
      if (canGoBack && newest.stage !== 'returning' && random.integer(1200) === 0) {
        rollouts.rollback(newest.version, { who: 'bench', why: 'at random' });
      }
      return;
    }
    release(world.gateway!, ++models, 1 + random.integer(3));
  }

  async function step(isMoving?: boolean): Promise<void> {
    await world.step(isMoving);
    for (const [i, at] of back) {
      if (at > clock.now()) continue;
      back.delete(i);
      if (!devices[i]!.isOn) await devices[i]!.boot();
    }
    for (const [i, device] of devices.entries()) {
      if (!device.isOn && !back.has(i)) back.set(i, clock.now() + random.integer(AWAY_MS));
    }
    if (world.gateway === undefined && startsAt === Infinity) {
      startsAt = clock.now() + random.integer(AWAY_MS);
    }
    if (startsAt <= clock.now()) {
      startsAt = Infinity;
      await world.start();
    }
  }

  try {
    for (const device of devices) await device.boot();
    while (world.gateway!.loop.online.size < count) await step();
    release(world.gateway!, ++models, 1);
    while (devices.some(({ hello }) => hello?.state !== 1)) await step();
    const until = clock.now() + phaseMs * phases.length;
    /** Moments, in order, spread over all phases. */
    const moments = (n: number): number[] =>
      Array.from({ length: n }, () => clock.now() + random.uniform(0, until - clock.now())).sort(
        (a, b) => a - b,
      );
    // a cut that waits for a flash operation may never come: more are begun than are counted on
    const [forGateway, forDevices] = [moments(kills), moments(2 * kills)];
    for (const [i, faults] of phases.entries()) {
      tell(`link: phase ${i + 1} of ${phases.length}: ${JSON.stringify(faults)}`);
      world.faults(faults, FORGERIES);
      const end = clock.now() + phaseMs;
      const isLast = i === phases.length - 1;
      // no kill is left out because the one before took its time
      while (clock.now() < end || (isLast && (forGateway.length > 0 || world.isDoomed))) {
        await step();
        rollOut();
        if (world.gateway !== undefined && clock.now() >= rekeyAt) {
          rekeyAt = clock.now() + rekeyMs;
          world.rekey();
        }
        if (forGateway[0]! <= clock.now() && world.gateway !== undefined && !world.isDoomed) {
          forGateway.shift();
          world.kill(random.integer(2) === 0 ? 'now' : 'write');
        }
        while (forDevices.length > 0 && forDevices[0]! <= clock.now()) {
          forDevices.shift();
          // a blackout in a part of the house, now or in the middle of what a device does
          const when = (['now', 'flash', 'send'] as const)[random.integer(3)]!;
          const first = random.integer(count);
          for (let k = 0; k <= count / 50; k++) devices[(first + k) % count]!.cut(when);
        }
      }
    }

    tell('link: good again');
    world.faults({});
    for (const device of devices) device.cut('never');
    const goodAt = clock.now();
    while (world.gateway === undefined || devices.some(({ isOn }) => !isOn)) await step();
    const waiting = devices.map(({ lives }) => ({
      life: lives.at(-1)!,
      made: lives.at(-1)!.made.length,
    }));
    let [linkMs, rolloutMs] = [-1, -1];
    const settled = (): boolean => {
      const rollouts = world.gateway!.loop.rollouts.list();
      const { stage: newest, members } = rollouts.at(-1)!;
      // who was away when all others had come to the end is served late
      const isLate =
        newest === 'settled' && Object.values(members).some(({ stage }) => !ENDS.has(stage));
      return (
        !isLate &&
        !rollouts.some(({ stage }) => goesOn(stage)) &&
        devices.every(({ hello }) => hello?.state === 1)
      );
    };
    while ((linkMs < 0 || rolloutMs < 0) && clock.now() - goodAt < PATIENCE_MS) {
      await step();
      const passed = clock.now() - goodAt;
      if (linkMs < 0 && waiting.every(({ life, made }) => life.told >= made)) linkMs = passed;
      if (rolloutMs < 0 && settled()) rolloutMs = passed;
    }
    // nobody moves any more: the last windows arrive
    const quiet = clock.now() + 60_000;
    while (clock.now() < quiet) await step(false);

    const gateway = world.gateway!;
    gateway.store.flush();
    const keys = gateway.store.keys.list();
    const released = releasesOf(gateway);
    const ran = auditModels(devices, released, mayRun(gateway));
    const stages = gateway.loop.rollouts.list().map(({ stage }) => stage);
    const found = audit(
      join(world.directory, 'store.db'),
      ...([devices, world.pool, world.task.sensor.axes.length, released] as const),
    );
    return {
      ...{ ...found, ...ran, linkMs, rolloutMs },
      ...{ gatewayKills: world.kills, forged: world.forged },
      rekeyed: keys.reduce((sum, { present }) => sum + present.generation - 1, 0),
      rekeying: keys.filter(({ pending }) => pending !== null).length,
      deviceKills: devices.reduce((sum, { lives }) => sum + lives.length - 1, 0),
      rollouts: tally(stages.map((stage) => (goesOn(stage) ? 'under way' : stage))),
      unsettled: devices.filter(({ hello }) => hello?.state !== 1).length,
    };
  } finally {
    await world.close();
  }
}

function tally(names: readonly string[]): Record<string, number> {
  const out: Record<string, number> = {};
  for (const name of names) out[name] = (out[name] ?? 0) + 1;
  return out;
}

function rowsOf(result: LinkResult, plan: LinkPlan): BenchRow[] {
  const figure = (name: string, value: number, unit: string): BenchRow => ({
    ...{ name: `link: ${name}`, value, unit },
  });
  const none = (name: string, value: number): BenchRow => ({
    ...{ ...figure(name, value, ''), aim: '0', met: value === 0 },
  });
  const seconds = (ms: number): number => round(ms / 1000, 1);
  return [
    figure('seed', plan.seed, ''),
    figure('devices', plan.devices, ''),
    figure('gateway killed', result.gatewayKills, 'times'),
    figure('devices killed', result.deviceKills, 'times'),
    ...DEVICES.map(({ suite }, i) => {
      const { length } = DEVICES;
      return figure(`devices with the suite ${suite}`, Math.ceil((plan.devices - i) / length), '');
    }),
    figure('frames forged, repeated or moved on cables of devices with keys', result.forged, ''),
    figure('keys changed', result.rekeyed, 'times'),
    none('changes of keys that did not come to their end', result.rekeying),
    figure('windows made', result.windows, ''),
    figure('windows that the devices were told are stored', result.told, ''),
    figure('windows stored', result.stored, ''),
    none('told to be stored, and missing', result.missing),
    none('stored twice', result.twice),
    none('stored otherwise than made', result.different + result.invented),
    figure('reported dropped by the device', result.reported, ''),
    figure('unacknowledged when the device lost power', result.unpowered, ''),
    none('integrity checks that found damage', result.damage),
    none('sessions with another count of lost windows', result.miscounted),
    none('windows from a model that was not released', result.foreign),
    none('models run that were not released to the device', result.unreleased),
    none('models mixed in flash', result.mixed),
    ...Object.entries(result.rollouts).map(([stage, n]) => figure(`rollouts ${stage}`, n, '')),
    none('devices without a confirmed model at the end', result.unsettled),
    figure('until the backlog was acknowledged, link good again', seconds(result.linkMs), 's'),
    figure('until all rollouts had ended, link good again', seconds(result.rolloutMs), 's'),
  ];
}
