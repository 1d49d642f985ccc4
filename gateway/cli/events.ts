import type { Command } from 'commander';
import { followEvents } from '../api/client.ts';
import type { GatewayEvent } from '../calls.ts';
import { sentence } from '../ui/words.ts';
import { type Io, integer, moment, say } from './io.ts';
import { type RemoteOptions, remoteOf, speaksToGateway, tell } from './remote.ts';

interface Options extends RemoteOptions {
  since?: number;
  limit: number;
  follow?: boolean;
}

/** `whetstone events`: what happened, and with --follow what happens. */
export function events(program: Command, io: Io): void {
  speaksToGateway(program.command('events'))
    .description('list the events of a running gateway')
    .option('--since <id>', 'those after this one, oldest first', integer(0))
    .option('--limit <n>', 'at most n', integer(1, 1000), 50)
    .option('--follow', 'go on as they come; with --json one object a line')
    .addHelpText('after', '\nExample:\n  $ npx whetstone events --follow')
    .action(async ({ since, limit, follow, ...options }: Options) => {
      const show = (event: GatewayEvent) =>
        say(io, options.json ? JSON.stringify(event) : eventLine(event));
      if (!follow) {
        return tell(
          io,
          options,
          async (calls) => ({ events: await calls.events({ since, limit }) }),
          (answer) => answer.events.forEach(show),
        );
      }
      const abort = new AbortController();
      const stop = () => abort.abort();
      process.once('SIGINT', stop);
      try {
        await followEvents(remoteOf(options), since, show, abort.signal);
      } finally {
        process.off('SIGINT', stop);
      }
    });
}

function eventLine(event: GatewayEvent): string {
  return `${event.id}  ${moment(event.at)}  ${sentence(event)}`;
}
