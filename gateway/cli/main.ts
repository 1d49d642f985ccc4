import { Command, CommanderError } from 'commander';
import whetstone from '../../package.json' with { type: 'json' };
import { GatewayError } from '../errors.ts';
import { alarms } from './alarms.ts';
import { audit } from './audit.ts';
import { backup } from './backup.ts';
import { bench } from './bench.ts';
import { build } from './build.ts';
import { devices } from './devices.ts';
import { doctor } from './doctor.ts';
import { encrypt } from './encrypt.ts';
import { events } from './events.ts';
import { exportModel } from './export.ts';
import { flash } from './flash.ts';
import { importModel } from './import.ts';
import { infer } from './infer.ts';
import type { Io } from './io.ts';
import { keys } from './keys.ts';
import { labels } from './labels.ts';
import { models } from './models.ts';
import { ports } from './ports.ts';
import { promote } from './promote.ts';
import { quality } from './quality.ts';
import { replay } from './replay.ts';
import { restore } from './restore.ts';
import { rollback } from './rollback.ts';
import { rollouts } from './rollouts.ts';
import { search } from './search.ts';
import { signing } from './signing.ts';
import { start } from './start.ts';
import { status } from './status.ts';
import { tokens } from './tokens.ts';
import { train } from './train.ts';
import { verify } from './verify.ts';

/** Adds one verb to the program. */
export type Verb = (program: Command, io: Io) => void;

const verbs: Verb[] = [
  start,
  replay,
  build,
  flash,
  status,
  devices,
  models,
  rollouts,
  keys,
  ports,
  tokens,
  labels,
  events,
  alarms,
  quality,
  infer,
  train,
  search,
  promote,
  rollback,
  exportModel,
  importModel,
  backup,
  restore,
  encrypt,
  verify,
  audit,
  signing,
  bench,
  doctor,
];

/**
 * Runs one command line.
 *
 * @param args what follows the program's name
 * @param io where to write
 * @returns exit status: 0 done, 1 failed (one line says why), 2 misused
 */
export async function run(args: string[], io: Io): Promise<number> {
  const program = new Command('whetstone')
    .description(
      'Keeps edge models sharp: watches small models on microcontrollers for drift,\n' +
        'retrains them and writes the new weights back, canary first.',
    )
    .version(whetstone.version, '--version', 'say which version this is')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => io.err.write(text),
      // with what was meant, perhaps, in the same line
      outputError: (text, write) =>
        write(text.replace(/^error: /, 'whetstone: ').replace(/\n(?=\()/, ' ')),
      getOutHelpWidth: () => io.out.columns ?? 80,
      getErrHelpWidth: () => io.err.columns ?? 80,
    })
    .showSuggestionAfterError(true)
    .addHelpText('after', '\nExample:\n  $ npx whetstone start\n  $ npx whetstone VERB --help');
  for (const verb of verbs) verb(program, io);
  for (const verb of program.commands) guide(verb, `whetstone ${verb.name()}`);
  try {
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(args, { from: 'user' });
    return io.status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    io.err.write(`whetstone: ${lineOf(error)}\n`);
    if (process.env.WHETSTONE_DEBUG) io.err.write(`${(error as Error).stack}\n`);
    return 1;
  }
}

/** Lets a verb say what to do where it is misused: which verbs it has, where its help is. */
function guide(verb: Command, name: string): void {
  if (verb.commands.length > 0) {
    const known = verb.commands.map((inner) => inner.name()).join(', ');
    // else commander speaks of too many arguments
    verb.allowExcessArguments(true).hook('preAction', (_, acting) => {
      if (acting !== verb || verb.args.length === 0) return;
      verb.error(`whetstone: unknown command '${verb.args[0]}'; ${name} has: ${known}`);
    });
  }
  const { outputError } = verb.configureOutput();
  verb.configureOutput({
    outputError: (text, write) => {
      const isBare = /^error: /.test(text) && !/It takes|Allowed choices|Did you mean/.test(text);
      outputError?.(isBare ? text.replace(/\n*$/, ` (see: ${name} --help)\n`) : text, write);
    },
  });
  for (const inner of verb.commands) guide(inner, `${name} ${inner.name()}`);
}

function lineOf(error: unknown): string {
  if (error instanceof GatewayError) return error.line();
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const line = text.split('\n')[0];
  return process.env.WHETSTONE_DEBUG
    ? line
    : `${line} (this is a defect; WHETSTONE_DEBUG=1 shows where)`;
}
