import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Recovered, recover } from './recover.ts';
import { type Supervisor, supervise } from './supervisor.ts';
import { type KillWorld, killWorld, type Look, PATIENCE_MS, until } from './world.ts';

const DAY_MS = 86_400_000;

/** How much is done. */
export interface ClockPlan {
  seed: number;
  devices: number;
  /** where the wall clock is set to, one after the other: ms from the computer's */
  offsetsMs: readonly number[];
  /** how long it stays there, ms */
  forMs: number;
}

/** Years forward and back again, days back and forward again, and less. */
export const JUMPS_MS: readonly number[] = [
  ...[-3 * DAY_MS, 0, 3_600_000, -3_600_000, -30 * DAY_MS, 365 * DAY_MS],
  ...[0, 3 * 365 * DAY_MS, -365 * DAY_MS, 10 * 365 * DAY_MS, -2 * DAY_MS, 0],
];

/** What came of it. */
export interface ClockResult extends Recovered {
  jumps: number;
  damaged: number;
  missingBetween: number;
  /** what the gateway said when it ended by itself */
  ends: readonly string[];
  /** jumps after which no window was acknowledged any more */
  stuck: number;
  /** lines of the journal that are older than the line before: what they say, and by how many ms */
  disordered: string[];
}

/**
 * A gateway under load whose wall clock is set forward and back while it runs; after every other jump it
 * is killed as well and has to start with that clock.
 *
 * @throws GatewayError 'missing-tool' without socat
 */
export async function runClock(
  plan: ClockPlan,
  tell: (what: string) => void = () => {},
): Promise<ClockResult> {
  const root = mkdtempSync(join(tmpdir(), 'whetstone-clock-'));
  const looks: Look[] = [];
  let stuck = 0;
  let world: KillWorld | undefined;
  let supervisor: Supervisor | undefined;
  try {
    // a clock years ahead makes no window a day old
    world = await killWorld({ root, directory: join(root, 'data'), ...plan, maxDays: 1 });
    await world.begin();
    supervisor = supervise(world);
    await until(() => world!.told() > 20, PATIENCE_MS);
    for (const [k, offsetMs] of plan.offsetsMs.entries()) {
      tell(`kill: clock set to ${offsetMs / DAY_MS} days from now`);
      world.setClock(offsetMs);
      if (k % 2 === 1) await supervisor.kill();
      // acknowledgements of before are still under way
      await setTimeout(500);
      const before = world.told();
      if ((await until(() => world!.told() > before, PATIENCE_MS)) === undefined) stuck++;
      await setTimeout(plan.forMs);
    }
    await supervisor.stop();
    const { ends } = supervisor;
    supervisor = undefined;
    looks.push(world.look());
    const found = await recover(world);
    const lines = await world.asOwner(({ store }) => store.journal.find());
    return {
      ...{ ...found, jumps: plan.offsetsMs.length, ends, stuck },
      disordered: lines.flatMap(({ at, kind }, i) => {
        const before = lines[i - 1];
        return before !== undefined && at < before.at
          ? [`${kind} ${before.at - at} ms behind ${before.kind}`]
          : [];
      }),
      damaged: looks.filter(({ damage }) => damage.length > 0).length,
      missingBetween: looks.reduce((sum, { missing }) => sum + missing, 0),
    };
  } finally {
    await supervisor?.stop();
    await world?.close();
    rmSync(root, { recursive: true, force: true });
  }
}
