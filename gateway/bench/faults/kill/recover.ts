import { setTimeout } from 'node:timers/promises';
import type { Audit, ModelAudit } from '../fleet/audit.ts';
import { goesOn } from '../fleet/releases.ts';
import { type KillWorld, PATIENCE_MS, UP, until } from './world.ts';

const LOOK_MS = 1000;

/** What there is when a gateway has been left in peace. */
export interface Recovered extends Audit, ModelAudit {
  /** rollouts by the stage in which they ended; 'under way' for those that did not */
  rollouts: Record<string, number>;
  /** devices that run no confirmed model */
  unsettled: number;
  /** windows that are not acknowledged */
  waiting: number;
  /** changes of keys that devices have taken, and those that did not come to their end */
  rekeyed: number;
  rekeying: number;
}

/** Lets the gateway run undisturbed until everything has come to its end, and compares it all. */
export async function recover(world: KillWorld): Promise<Recovered> {
  const gateway = world.start();
  await gateway.says(UP);
  const settled = (): boolean => world.devices.every(({ hello }) => hello?.state === 1);
  // what a device runs is judged on windows: they go on until every rollout has ended
  for (let left = PATIENCE_MS / LOOK_MS; left > 0; left--) {
    const stages = await stagesOf(gateway.output.out);
    if (settled() && !stages.some(goesOn)) break;
    await setTimeout(LOOK_MS);
  }
  world.moving = false;
  await until(() => world.waiting() === 0, PATIENCE_MS);
  const waiting = world.waiting();
  gateway.child.kill('SIGTERM');
  await gateway.ended;
  const rollouts: Record<string, number> = {};
  await world.asOwner(({ loop }) => {
    for (const { stage } of loop.rollouts.list()) {
      const name = goesOn(stage) ? 'under way' : stage;
      rollouts[name] = (rollouts[name] ?? 0) + 1;
    }
  });
  const unsettled = world.devices.filter(({ hello }) => hello?.state !== 1).length;
  return { ...(await world.judge()), ...(await world.keys()), rollouts, unsettled, waiting };
}

/** Stages of the rollouts of a running gateway. @param said what it said, the address of its page in it */
async function stagesOf(said: string): Promise<string[]> {
  const url = /dashboard: (\S+)/.exec(said)![1];
  const answer = await fetch(`${url}/api/rollouts`);
  return ((await answer.json()) as { stage: string }[]).map(({ stage }) => stage);
}
