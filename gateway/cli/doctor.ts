import type { Command } from 'commander';
import { budgetDefaults } from '../budget/limits.ts';
import { createSensors } from '../budget/sensors.ts';
import type { StartOptions } from '../calls.ts';
import { GatewayError } from '../errors.ts';
import { DATA_DIR, readRunFile } from '../run-file.ts';
import { checkBox } from './check-box.ts';
import { checkBudget } from './check-budget.ts';
import { checkGateway, checkTls, checkTokens } from './check-door.ts';
import { checkStore } from './check-store.ts';
import { type Check, checkMachine, has, lacks } from './checks.ts';
import { colour, type Io, say, sayJson } from './io.ts';

interface Options {
  config?: string;
  dataDir?: string;
  keyFile?: string;
  store?: boolean;
  json?: boolean;
}

/** `whetstone doctor`: what this machine has, and what mends the rest. */
export function doctor(program: Command, io: Io): void {
  program
    .command('doctor')
    .description('say what this machine has, and which command mends what it lacks')
    .option('--data-dir <dir>', 'where the data of the gateway is (default: .whetstone)')
    .option(
      '--config <file>',
      'the configuration of `start`: its budget is compared with the sensors, its key opens the store',
    )
    .option('--key-file <file>', 'key of an encrypted store')
    .option('--store', 'look the whole store through: pages, references, parts')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExit status is 1 if something is lacking without which nothing runs.' +
        '\nExample:\n  $ npx whetstone doctor',
    )
    .action(async ({ config, dataDir, store, json, ...options }: Options) => {
      const { configured, problem } = await readConfigured(config);
      const { budget = {} } = configured;
      const directory = dataDir ?? configured.dataDir ?? DATA_DIR;
      const keyFile = options.keyFile ?? configured.keyFile;
      const checks = [
        ...problem,
        ...(await checkMachine(process.env, directory)),
        ...checkBox(configured, directory),
        ...checkStore(directory, { keyFile, whole: store ?? false }),
        ...checkTokens(directory, { keyFile, now: Date.now() }),
        ...checkTls(configured, Date.now(), readRunFile(directory)?.cert),
        ...(await checkGateway(directory, configured)),
        ...checkBudget(budget, createSensors({ ...budgetDefaults, ...budget })(Date.now())),
      ];
      const ok = checks.every((check) => check.ok || !check.needed);
      if (!ok) io.status = 1;
      if (json) return sayJson(io, { ok, checks });
      for (const check of checks) say(io, line(io, check));
    });
}

/** The configuration, or what is wrong with it. */
async function readConfigured(
  path: string | undefined,
): Promise<{ configured: StartOptions; problem: Check[] }> {
  const { readConfig } = await import('../config.ts');
  try {
    const configured = readConfig(path);
    return { configured, problem: path === undefined ? [] : [has('configuration', path, true)] };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const mend = error.hint ?? `edit ${path}; its fields: whetstone start --help, docs/service.md`;
    const means = 'the gateway does not start';
    return { configured: {}, problem: [lacks('configuration', error.message, means, mend, true)] };
  }
}

function line(io: Io, { name, ok, needed, found, means, mend }: Check): string {
  const mark = ok ? colour(io, 'green', 'ok   ') : needed ? colour(io, 'red', 'LACKS') : 'lacks';
  const first = `${mark} ${name}: ${found}`;
  return ok ? first : `${first}\n      ${means}\n      mend: ${mend}`;
}
