import type { Command } from 'commander';
import { refusal, shortVersion } from '../ui/words.ts';
import { checkScope, type Io, say } from './io.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

interface Options extends RemoteOptions {
  scope: string;
}

/** `whetstone train`: climbs the ladder now and releases what passes the gate. */
export function train(program: Command, io: Io): void {
  speaksToGateway(program.command('train'))
    .description(
      'train next, whatever the budget of this machine, and roll out what passes the gate',
    )
    .option('--scope <scope>', 'fleet, cohort:NAME or device:ID', 'fleet')
    .addHelpText('after', '\nExample:\n  $ npx whetstone train --scope device:watch-3')
    .action((options: Options, command: Command) => {
      checkScope(command, options.scope);
      return tell(
        io,
        options,
        (calls) => calls.train({ scope: options.scope }),
        ({ scope, version, rung, released, reason, trainMs, although }) => {
          const what = version === null ? 'no candidate' : shortVersion(version);
          const how = rung === null ? '' : ` (${rung}, ${Math.round(trainMs)} ms)`;
          const outcome = released ? `released: ${reason}` : `not released: ${refusal(reason)}`;
          for (const limit of although) say(io, `although ${limit}`);
          say(io, `${what} for ${scope}${how}: ${outcome}`);
        },
      );
    });
}
