import type { Command } from 'commander';
import { type Io, say } from './io.ts';
import { bare } from './models.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';
import { rolloutLine } from './rollouts.ts';

/** `whetstone rollback`: the way back. */
export function rollback(program: Command, io: Io): void {
  speaksToGateway(program.command('rollback'))
    .description('undo the newest promotion, or that of one version')
    .argument('[version]', 'the version to leave, or its first digits')
    .addHelpText('after', '\nExample:\n  $ npx whetstone rollback')
    .action((version: string | undefined, options: RemoteOptions) =>
      tell(
        io,
        options,
        async (calls) => calls.rollback(version === undefined ? undefined : bare(version)),
        (rollout) => say(io, rolloutLine(rollout)),
      ),
    );
}
