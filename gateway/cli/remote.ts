import type { Command } from 'commander';
import { remoteCalls } from '../api/client.ts';
import type { Calls } from '../calls.ts';
import { type Io, sayJson } from './io.ts';

/** Options of every verb that speaks to a running gateway. */
export interface RemoteOptions {
  url: string;
  json?: boolean;
}

/** Adds `--json` and `--url`. */
export function speaksToGateway(command: Command): Command {
  return command
    .option('--json', 'print one JSON object')
    .option('--url <url>', 'the running gateway', 'http://127.0.0.1:7380');
}

/** What a verb does with a running gateway: asks, then prints the answer as it was asked to. */
export async function tell<T extends object>(
  io: Io,
  options: RemoteOptions,
  ask: (calls: Calls) => Promise<T>,
  print: (answer: T) => void,
): Promise<void> {
  const answer = await ask(remoteCalls(options.url));
  if (options.json) sayJson(io, answer);
  else print(answer);
}
