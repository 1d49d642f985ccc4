import type { Command } from 'commander';
import type { Gateway, StartOptions } from '../calls.ts';
import { type Io, integer, say } from './io.ts';
import { showGateway } from './terminal.ts';

interface Options {
  config?: string;
  task?: string;
  dataDir?: string;
  port?: string[];
  baud?: number;
  virtual?: number;
  host?: string;
  httpPort?: number;
  seed?: number;
  keyFile?: string;
  allowWeakLink?: boolean;
}

const collect = (value: string, before: string[] = []) => [...before, value];

/** `whetstone start`: the gateway, its page, and with no device named a virtual fleet. */
export function start(program: Command, io: Io): void {
  program
    .command('start')
    .description('start the gateway; with no port named, a virtual fleet of synthetic watches')
    .option('--config <file>', 'JSON with the options below, in camel case')
    .option('--task <task>', 'a task by name, or a task file (default: gesture)')
    .option('--data-dir <dir>', 'samples, models and keys (default: .whetstone)')
    .option('--key-file <file>', 'key of an encrypted store; a new store is encrypted with it')
    .option('--port <path>', 'serial port of a real board; may be repeated', collect)
    .option('--baud <n>', 'speed of the serial ports', integer(300))
    .option(
      '--virtual <n>',
      'virtual watches beside the real boards (default: 4 without)',
      integer(0),
    )
    .option('--host <host>', 'address of page and API, on this machine (default: 127.0.0.1)')
    .option('--http-port <n>', 'port of page and API (default: 7380)', integer(0, 65535))
    .option(
      '--allow-weak-link',
      'hear real boards that have no keys, or a weaker suite than their board can do',
    )
    .option('--seed <n>', 'of the synthetic motion', integer(0))
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone start\n  $ npx whetstone start --port /dev/ttyACM0',
    )
    .action(async (options: Options, command: Command) => {
      const { port: serial, httpPort: port, ...rest } = options;
      const given: StartOptions = {
        ...rest,
        ...(serial !== undefined && { serial }),
        ...(port !== undefined && { port }),
      };
      const stopped = stopSignal();
      const { startGateway } = await import('../main.ts');
      const gateway: Gateway = await startGateway(given);
      const hide = await showGateway(gateway, io);
      const damage = await Promise.race([stopped, gateway.damaged]);
      hide();
      await gateway.close();
      if (damage) throw damage;
      say(io, stoppedLine((command.parent as Command & { rawArgs: string[] }).rawArgs.slice(1)));
    });
}

/**
 * How to go on with a gateway that was stopped.
 *
 * @param args what followed `start`
 * @example stoppedLine(['--data-dir', 'my data']) // "stopped; go on with: npm start -- --data-dir 'my data'"
 */
export function stoppedLine(args: string[]): string {
  const quoted = args.map((arg) =>
    /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`,
  );
  return ['stopped; go on with: npm start', ...(args.length > 0 ? ['--', ...quoted] : [])].join(
    ' ',
  );
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let askedMs = 0;
    const ask = () => {
      // a group's signal and the one that its parent passes on are one
      if (askedMs > 0 && Date.now() - askedMs > 1000) process.exit(130);
      askedMs ||= Date.now();
      resolve();
    };
    process.on('SIGINT', ask);
    process.on('SIGTERM', ask);
  });
}
