import type { Command } from 'commander';
import type { Calls, RolloutView } from '../calls.ts';
import { GatewayError } from '../errors.ts';
import { shortVersion } from '../ui/words.ts';
import { type Io, moment, say, table } from './io.ts';
import { type RemoteOptions, sameGateway, speaksToGateway, tell } from './remote.ts';

/** `whetstone rollouts`: updates on their way and those before; `approve` and `stop` one. */
export function rollouts(program: Command, io: Io): void {
  const command = speaksToGateway(program.command('rollouts'))
    .description('list the rollouts of a running gateway; approve or stop one')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone rollouts --json\n  $ npx whetstone rollouts approve ROLLOUT',
    )
    .action((options: RemoteOptions) =>
      tell(
        io,
        options,
        async (calls) => ({ rollouts: await calls.rollouts() }),
        (answer) => {
          say(io, list(answer.rollouts));
          for (const { id, stage } of answer.rollouts) {
            if (stage !== 'awaiting-approval') continue;
            const short = id.slice(0, 8);
            const approve = `npx whetstone rollouts approve ${short}${sameGateway(options)}`;
            say(io, `${short} waits for a person: ${approve} (or: stop)`);
          }
        },
      ),
    );
  speaksToGateway(command.command('approve'))
    .description("let a rollout go on that stands in stage 'awaiting-approval'")
    .argument('<rollout>', 'its id, or the first digits')
    .addHelpText('after', '\nExample:\n  $ npx whetstone rollouts approve 3f2a9c41')
    .action((id: string, _, verb: Command) =>
      tell(
        io,
        verb.optsWithGlobals<RemoteOptions>(),
        async (calls) => calls.approveRollout(await whole(calls, id)),
        (rollout) => say(io, rolloutLine(rollout)),
      ),
    );
  speaksToGateway(command.command('stop'))
    .description('end a rollout that has not settled, and take back what went out')
    .argument('<rollout>', 'its id, or the first digits')
    .option('--why <reason>', 'for the log')
    .addHelpText('after', "\nExample:\n  $ npx whetstone rollouts stop 3f2a9c41 --why 'too early'")
    .action((id: string, { why }: { why?: string }, verb: Command) =>
      tell(
        io,
        verb.optsWithGlobals<RemoteOptions>(),
        async (calls) =>
          calls.stopRollout(await whole(calls, id), why === undefined ? {} : { reason: why }),
        (rollout) => say(io, rolloutLine(rollout)),
      ),
    );
}

/**
 * The id that begins so.
 *
 * @throws GatewayError 'not-found' if none does, or several do
 */
async function whole(calls: Calls, id: string): Promise<string> {
  const found = (await calls.rollouts()).filter((rollout) => rollout.id.startsWith(id));
  if (found.length === 1 && id !== '') return found[0]!.id;
  const several = found.length > 1 && id !== '' ? `${found.length} rollouts begin` : 'none begins';
  throw new GatewayError('not-found', `no rollout '${id}': ${several} so`, {
    hint: 'see: whetstone rollouts',
  });
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
