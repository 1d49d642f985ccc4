import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { makeDisk } from './disk.ts';
import { type Recovered, recover } from './recover.ts';
import { type Supervisor, supervise } from './supervisor.ts';
import { type KillWorld, killWorld, type Look, PATIENCE_MS, until } from './world.ts';

/** A disk that is full, or fails and can only be read. */
export type DiskFault = 'full' | 'read-only';

/** How much is done. */
export interface DiskPlan {
  seed: number;
  devices: number;
  /** how often the disk fails and is mended */
  times: number;
  /** how long each time, ms */
  forMs: number;
}

/** What came of it. */
export interface DiskResult extends Recovered {
  times: number;
  damaged: number;
  missingBetween: number;
  /** what the gateway said when it ended by itself */
  ends: readonly string[];
  /** windows acknowledged while the disk took nothing, after the first moment */
  toldMeanwhile: number;
  /** ms from the repair to the next acknowledgement */
  backMs: number[];
}

const BYTES = 24 * 2 ** 20;
/** What was committed before is still told. */
const IN_FLIGHT_MS = 1500;

/**
 * A gateway under load whose disk is full or fails, again and again; every other time it is killed as
 * well and has to start on that disk.
 *
 * @throws GatewayError 'missing-tool' where no disk can be mounted, or without socat
 */
export async function runDisk(
  fault: DiskFault,
  plan: DiskPlan,
  tell: (what: string) => void = () => {},
): Promise<DiskResult> {
  const root = mkdtempSync(join(tmpdir(), 'whetstone-disk-'));
  const backMs: number[] = [];
  const looks: Look[] = [];
  const ends: string[] = [];
  let toldMeanwhile = 0;
  let world: KillWorld | undefined;
  let supervisor: Supervisor | undefined;
  let disk: ReturnType<typeof makeDisk> | undefined;
  try {
    disk = makeDisk(root, BYTES);
    world = await killWorld({ root, directory: join(disk.path, 'data'), ...plan });
    await world.begin();
    supervisor = supervise(world);
    await until(() => world!.told() > 20, PATIENCE_MS);
    for (let k = 0; k < plan.times; k++) {
      tell(`kill: disk ${fault}, ${k + 1} of ${plan.times}`);
      if (fault === 'full') disk.fill();
      else disk.breakIt();
      await setTimeout(IN_FLIGHT_MS);
      const before = world.told();
      if (k % 2 === 1) await supervisor.kill();
      await setTimeout(plan.forMs);
      toldMeanwhile += world.told() - before;
      // a broken disk is mended while nobody uses it, as a person would
      if (fault === 'read-only') {
        await supervisor.stop();
        ends.push(...supervisor.ends);
        disk.mend();
        looks.push(world.look());
        supervisor = supervise(world);
      } else disk.makeRoom();
      const had = world.told();
      const back = await until(() => world!.told() > had, PATIENCE_MS);
      backMs.push(back ?? Infinity);
      await setTimeout(1000);
    }
    await supervisor.stop();
    ends.push(...supervisor.ends);
    looks.push(world.look());
    supervisor = undefined;
    return {
      ...(await recover(world)),
      ...{ times: plan.times, ends, toldMeanwhile, backMs },
      damaged: looks.filter(({ damage }) => damage.length > 0).length,
      missingBetween: looks.reduce((sum, { missing }) => sum + missing, 0),
    };
  } finally {
    await supervisor?.stop();
    await world?.close();
    disk?.unmount();
    rmSync(root, { recursive: true, force: true });
  }
}
