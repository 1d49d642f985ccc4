import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { GatewayError } from '../../errors.ts';
import { createRandom } from '../../random.ts';
import { type BenchRow, median, round } from '../report.ts';
import { goesOn, release } from './fleet/releases.ts';
import { type ClockPlan, JUMPS_MS, runClock } from './kill/kill-clock.ts';
import { type DiskPlan, runDisk } from './kill/kill-disk.ts';
import { type Recovered, recover } from './kill/recover.ts';
import { killNow, killWorld, UP } from './kill/world.ts';
import type { FaultsOptions } from './part.ts';

/** How much is done. */
export interface KillPlan {
  seed: number;
  devices: number;
  /** times that the gateway is killed */
  kills: number;
  /** a new version goes out after so many, if the one before has come to its end; so do new keys */
  releaseEvery: number;
}

/** What came of it. */
export interface KillResult extends Recovered {
  kills: number;
  /** looks at the store between two lives that found damage */
  damaged: number;
  /** windows that such a look did not find, though a device was told */
  missingBetween: number;
  /** ms from each start to the page, in order */
  startsMs: number[];
  /** what the gateway said when it ended by itself */
  ends: readonly string[];
}

interface Plans {
  kill: KillPlan;
  disk: DiskPlan;
  clock: ClockPlan;
}

const seed = 5;
const FULL: Plans = {
  kill: { seed, devices: 8, kills: 300, releaseEvery: 15 },
  disk: { seed, devices: 8, times: 10, forMs: 6000 },
  clock: { seed, devices: 8, offsetsMs: JUMPS_MS, forMs: 4000 },
};
/** The same in less than a minute. */
export const SHORT: Plans = {
  kill: { seed, devices: 2, kills: 3, releaseEvery: 2 },
  disk: { seed, devices: 2, times: 2, forMs: 2000 },
  clock: { seed, devices: 2, offsetsMs: JUMPS_MS.slice(4, 8), forMs: 300 },
};

/** The latest moment of a kill after the gateway is up; one in so many comes before that. */
const LATEST_MS = 1500;
const EARLY = 4;

/**
 * A real gateway under the load of all its devices: killed at random moments, on a disk that is full or
 * fails, with a clock that jumps.
 */
export async function rows(options: FaultsOptions): Promise<BenchRow[]> {
  const { kill, disk, clock } = options.short ? SHORT : FULL;
  const tell = options.onProgress;
  return [
    ...(await part('kill', async () => killRows(await runKills(kill, tell), kill))),
    ...(await part('full disk', async () =>
      diskRows('full disk', await runDisk('full', disk, tell)),
    )),
    ...(await part('read-only disk', async () =>
      diskRows('read-only disk', await runDisk('read-only', disk, tell)),
    )),
    ...(await part('clock', async () => clockRows(await runClock(clock, tell)))),
  ];
}

/** What cannot run on this machine says so, and the others run. */
async function part(name: string, run: () => Promise<BenchRow[]>): Promise<BenchRow[]> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'missing-tool') throw error;
    return [{ name, unit: '', skipped: error.line() }];
  }
}

/** Runs a plan. @throws GatewayError 'missing-tool' without socat */
export async function runKills(
  plan: KillPlan,
  tell: (what: string) => void = () => {},
): Promise<KillResult> {
  const { kills, releaseEvery } = plan;
  const root = mkdtempSync(join(tmpdir(), 'whetstone-kill-'));
  const random = createRandom(plan.seed, 2_000_000);
  const world = await killWorld({ root, directory: join(root, 'data'), ...plan });
  const startsMs: number[] = [];
  const ends: string[] = [];
  let [damaged, missingBetween, models] = [0, 0, 1];
  try {
    await world.begin();
    for (let k = 0; k < kills; k++) {
      if (k > 0 && k % releaseEvery === 0) {
        await rollOut();
        await world.rekey();
      }
      const begun = performance.now();
      const gateway = world.start();
      const up = gateway.says(UP).then(
        () => void startsMs.push(performance.now() - begun),
        () => {},
      );
      if (k > 0 && random.integer(EARLY) === 0) {
        await setTimeout(random.uniform(0, median(startsMs)));
      } else {
        await up;
        await setTimeout(random.uniform(0, LATEST_MS));
      }
      if (gateway.child.exitCode !== null) ends.push(gateway.output.err.trim());
      await killNow(gateway);
      const look = world.look();
      if (look.damage.length > 0) damaged++;
      missingBetween += look.missing;
      tell(`kill: ${k + 1} of ${kills}, ${look.told} windows acknowledged`);
    }
    return { ...(await recover(world)), ...{ kills, damaged, missingBetween, startsMs, ends } };
  } finally {
    await world.close();
    rmSync(root, { recursive: true, force: true });
  }

  async function rollOut(): Promise<void> {
    await world.asOwner((gateway) => {
      const newest = gateway.loop.rollouts.list().at(-1);
      if (newest === undefined || !goesOn(newest.stage)) {
        release(gateway, ++models, 1 + random.integer(3));
      }
    });
  }
}

const figure = (name: string, value: number, unit = ''): BenchRow => ({ name, value, unit });
const none = (name: string, value: number): BenchRow => ({
  ...{ ...figure(name, value), aim: '0', met: value === 0 },
});

/** What is the same whatever happened. */
function common(
  of: string,
  result: Recovered & { damaged: number; missingBetween: number },
): BenchRow[] {
  return [
    figure(`${of}: windows made`, result.windows),
    figure(`${of}: windows that the devices were told are stored`, result.told),
    none(`${of}: told to be stored, and missing`, result.missing + result.missingBetween),
    none(`${of}: stored twice`, result.twice),
    none(`${of}: stored otherwise than made`, result.different + result.invented),
    figure(`${of}: reported dropped by the device`, result.reported),
    none(`${of}: sessions with another count of lost windows`, result.miscounted),
    none(`${of}: windows from a model that was not released`, result.foreign),
    none(`${of}: models run that were not released to the device`, result.unreleased),
    none(`${of}: models mixed in flash`, result.mixed),
    none(`${of}: integrity checks that found damage`, result.damaged + result.damage),
    none(`${of}: changes of keys that did not come to their end`, result.rekeying),
    none(`${of}: windows not acknowledged at the end`, result.waiting),
    none(`${of}: devices without a confirmed model at the end`, result.unsettled),
    ...Object.entries(result.rollouts).map(([stage, n]) => figure(`${of}: rollouts ${stage}`, n)),
  ];
}

function killRows(result: KillResult, plan: KillPlan): BenchRow[] {
  const { startsMs } = result;
  return [
    figure('kill: seed', plan.seed),
    figure('kill: devices', plan.devices),
    figure('kill: gateway killed', result.kills, 'times'),
    figure('kill: keys of devices changed', result.rekeyed, 'times'),
    ...common('kill', result),
    none('kill: gateway ended by itself', result.ends.length),
    figure('kill: until it was up again, median', round(median(startsMs), 0), 'ms'),
    figure('kill: until it was up again, longest', round(Math.max(...startsMs), 0), 'ms'),
  ];
}

function diskRows(of: string, result: Awaited<ReturnType<typeof runDisk>>): BenchRow[] {
  const { backMs } = result;
  return [
    figure(`${of}: failed and mended`, result.times, 'times'),
    ...common(of, result),
    figure(`${of}: windows acknowledged meanwhile`, result.toldMeanwhile),
    figure(`${of}: gateway ended by itself`, result.ends.length, 'times'),
    none(`${of}: mended, and nothing acknowledged`, backMs.filter((ms) => ms === Infinity).length),
    figure(
      `${of}: until the next acknowledgement, longest`,
      round(Math.max(...backMs.filter(Number.isFinite)), 0),
      'ms',
    ),
  ];
}

function clockRows(result: Awaited<ReturnType<typeof runClock>>): BenchRow[] {
  return [
    figure('clock: set', result.jumps, 'times'),
    ...common('clock', result),
    none('clock: set, and nothing acknowledged any more', result.stuck),
    none('clock: gateway ended by itself', result.ends.length),
    none('clock: lines of the journal out of order', result.disordered.length),
  ];
}
