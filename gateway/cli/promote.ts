import type { Command } from 'commander';
import { type Io, say } from './io.ts';
import { bare } from './models.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';
import { rolloutLine } from './rollouts.ts';

/** `whetstone promote`: a registered version becomes the champion of its scope. */
export function promote(program: Command, io: Io): void {
  speaksToGateway(program.command('promote'))
    .description('roll out a registered model version')
    .argument('<version>', 'the version, or its first digits')
    .addHelpText('after', '\nExample:\n  $ npx whetstone promote 3f2a9c41')
    .action((version: string, options: RemoteOptions) =>
      tell(
        io,
        options,
        async (calls) => calls.promote(bare(version)),
        (rollout) => say(io, rolloutLine(rollout)),
      ),
    );
}
