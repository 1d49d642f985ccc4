import type { Command } from 'commander';
import type { RolloutView } from '../calls.ts';
import { shortVersion } from '../ui/words.ts';
import { type Io, moment, say, table } from './io.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

/** `whetstone rollouts`: updates on their way and those before. */
export function rollouts(program: Command, io: Io): void {
  speaksToGateway(program.command('rollouts'))
    .description('list the rollouts of a running gateway')
    .addHelpText('after', '\nExample:\n  $ npx whetstone rollouts --json')
    .action((options: RemoteOptions) =>
      tell(
        io,
        options,
        async (calls) => ({ rollouts: await calls.rollouts() }),
        (answer) => say(io, list(answer.rollouts)),
      ),
    );
}

function list(rollouts: RolloutView[]): string {
  if (rollouts.length === 0) return 'no rollout yet';
  return table(
    ['rollout', 'model', 'for', 'stage', 'started', 'devices', 'why'],
    rollouts.map((rollout) => [
      rollout.id,
      shortVersion(rollout.version),
      rollout.scope,
      rollout.stage,
      moment(rollout.startedAt),
      rollout.devices.map(deviceText).join(', '),
      rollout.reason ?? '',
    ]),
  );
}

/** Where a device stands in a rollout, and why, where that is no progress. */
function deviceText({ id, state, reason }: RolloutView['devices'][number]): string {
  return reason === '' ? `${id}: ${state}` : `${id}: ${state} (${reason})`;
}

/** A rollout that was just asked for, in one line. */
export function rolloutLine(rollout: RolloutView): string {
  const where = rollout.devices.map((device) => device.id).join(', ');
  const why = rollout.reason === null ? '' : `: ${rollout.reason}`;
  const version = shortVersion(rollout.version);
  return `rollout ${rollout.id} of ${version} for ${rollout.scope} (${where}): ${rollout.stage}${why}`;
}
