import { type Command, Option } from 'commander';
import type { Gateway, StartOptions } from '../calls.ts';
import { GatewayError } from '../errors.ts';
import { defaultStyle, jsonLog, type LogStyle, lineLog } from '../log.ts';
import { createNotifier } from '../notify.ts';
import { type Io, integer, say, shellWord } from './io.ts';
import { logGateway } from './journal-log.ts';
import { showGateway } from './terminal.ts';

interface Options {
  config?: string;
  task?: string;
  dataDir?: string;
  port?: string[];
  ble?: string[];
  baud?: number;
  virtual?: number;
  host?: string;
  httpPort?: number;
  seed?: number;
  recordings?: string;
  keyFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  name?: string[];
  requireToken?: boolean;
  log?: LogStyle;
  allowWeakLink?: boolean;
}

const collect = (value: string, before: string[] = []) => [...before, value];

/** `whetstone start`: the gateway, its page, and with no device named a virtual fleet. */
export function start(program: Command, io: Io): void {
  program
    .command('start')
    .description('start the gateway; with no port named, a virtual fleet of synthetic watches')
    .option(
      '--config <file>',
      'JSON with the options below and more: docs/service.md#configuration',
    )
    .option('--task <task>', 'a task by name, or a task file (default: gesture)')
    .option('--data-dir <dir>', 'samples, models and keys (default: .whetstone)')
    .option('--key-file <file>', 'key of an encrypted store; a new store is encrypted with it')
    .option('--port <path>', 'serial port of a real board; may be repeated', collect)
    .option('--ble <name>', 'board by Bluetooth: its name or address; may be repeated', collect)
    .option('--baud <n>', 'speed of the serial ports', integer(300))
    .option(
      '--virtual <n>',
      'virtual watches beside the real boards (default: 4 without)',
      integer(0, 200),
    )
    .option('--host <host>', 'address of page and API (default: 127.0.0.1; others need TLS)')
    .option('--http-port <n>', 'port of page and API (default: 7380)', integer(0, 65535))
    .option('--tls-cert <file>', 'certificate of page and API, PEM, with what signed it')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--name <host>', 'a further name under which it is asked; may be repeated', collect)
    .addOption(
      new Option('--log <style>', 'default lines; json where systemd reads it').choices([
        'lines',
        'json',
      ]),
    )
    .option('--require-token', 'ask for a token on this machine, too')
    .option(
      '--allow-weak-link',
      'hear real boards that have no keys, or a weaker suite than their board can do',
    )
    .option('--recordings <dir>', 'what a fleet without a model learns its first from, labelled')
    .option('--seed <n>', 'of the synthetic motion', integer(0))
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone start\n  $ npx whetstone start --port /dev/ttyACM0 --recordings DIR',
    )
    .action(async (options: Options, command: Command) => {
      const { port: serial, httpPort: port, tlsCert, tlsKey, name: names, log, ...rest } = options;
      const given: StartOptions = {
        ...rest,
        ...tlsOf(tlsCert, tlsKey),
        ...(names !== undefined && { names }),
        ...(serial !== undefined && { serial }),
        ...(port !== undefined && { port }),
      };
      const style = log ?? defaultStyle(process.env);
      const writes = style === 'json' ? jsonLog(io.out) : lineLog(io.err);
      const stopped = stopSignal();
      const notifier = createNotifier(process.env, ({ message }) =>
        writes.error({}, `systemd cannot be told: ${message}`),
      );
      const { startGateway } = await import('../main.ts');
      const gateway: Gateway = await startGateway(given, writes);
      notifier.ready();
      const hide = await (style === 'json'
        ? logGateway(gateway, writes)
        : showGateway(gateway, io));
      const damage = await Promise.race([stopped, gateway.damaged]);
      notifier.stopping();
      notifier.close();
      hide();
      await within(STOP_MS, gateway.close());
      if (damage) throw damage;
      if (style === 'json') return writes.info({}, 'stopped');
      say(io, stoppedLine((command.parent as Command & { rawArgs: string[] }).rawArgs.slice(1)));
    });
}

/** Longest time that a gateway takes to stop: what is not committed by then was not acknowledged. */
const STOP_MS = 20_000;

/** @throws GatewayError 'cancelled' if it takes longer */
async function within(limitMs: number, ending: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `the gateway did not stop within ${limitMs / 1000} s: ended all the same`;
      reject(new GatewayError('cancelled', message, { hint: 'nothing acknowledged is lost' }));
      setTimeout(() => process.exit(1), 100).unref();
    }, limitMs);
  });
  await Promise.race([ending, late]).finally(() => clearTimeout(timer));
}

function tlsOf(cert?: string, key?: string): Pick<StartOptions, 'tls'> {
  if (cert !== undefined && key !== undefined) return { tls: { cert, key } };
  if (cert === undefined && key === undefined) return {};
  throw new GatewayError('bad-tls', `a ${cert ? 'certificate' : 'key'} alone is no TLS`, {
    hint: 'name both: --tls-cert FILE --tls-key FILE',
  });
}

/**
 * How to go on with a gateway that was stopped.
 *
 * @param args what followed `start`
 * @example stoppedLine(['--data-dir', 'my data']) // "stopped; go on with: npm start -- --data-dir 'my data'"
 */
export function stoppedLine(args: string[]): string {
  const quoted = args.map(shellWord);
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
