import { setTimeout } from 'node:timers/promises';
import type { GatewayProcess } from './gateway-process.ts';
import { type KillWorld, killNow, UP } from './world.ts';

/** Between the end of a gateway and its next start, as a service manager waits. */
const RESTART_MS = 200;

/** What a service manager does: whenever the gateway ends, it is started again. */
export interface Supervisor {
  readonly isUp: boolean;
  /** how often it came up */
  readonly ups: number;
  /** what it said when it ended by itself, each time */
  readonly ends: readonly string[];
  /** ms from each start to the page */
  readonly startsMs: readonly number[];
  /** kill -9; it is started again */
  kill(): Promise<void>;
  /** Kills it for good. */
  stop(): Promise<void>;
}

/** @param world whose gateway is not running */
export function supervise(world: Pick<KillWorld, 'start'>): Supervisor {
  const ends: string[] = [];
  const startsMs: number[] = [];
  let current: GatewayProcess | undefined;
  let isUp = false;
  let isOver = false;
  let killed: GatewayProcess | undefined;

  async function run(): Promise<void> {
    while (!isOver) {
      const begun = performance.now();
      const mine = world.start();
      current = mine;
      mine.says(UP).then(
        () => {
          isUp = true;
          startsMs.push(performance.now() - begun);
        },
        () => {},
      );
      await mine.ended;
      isUp = false;
      if (killed !== mine) ends.push(mine.output.err.trim());
      if (!isOver) await setTimeout(RESTART_MS);
    }
  }

  async function kill(): Promise<void> {
    const mine = current!;
    killed = mine;
    await killNow(mine);
  }

  const over = run();
  return {
    ...{ ends, startsMs, kill },
    get isUp() {
      return isUp;
    },
    get ups() {
      return startsMs.length;
    },
    async stop() {
      isOver = true;
      await kill();
      await over;
    },
  };
}
