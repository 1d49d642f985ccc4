import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { boardNames, loadBoard } from '../board.ts';
import { GatewayError } from '../errors.ts';
import type { Flashed, FlashOptions } from '../flash/flash-board.ts';
import type { Keeper } from '../flash/keeper.ts';
import { DATA_DIR } from '../run-file.ts';
import { loadTask, type Task } from '../task.ts';
import { type Io, progress, say, sayJson, shellWord } from './io.ts';
import { type RemoteOptions, remoteOf, speaksToGateway } from './remote.ts';

const TASK = 'gesture';

interface Options extends RemoteOptions {
  port?: string;
  ble?: string;
  board?: string;
  task: string;
  id?: string;
  keyFile?: string;
  model?: string;
  suite?: 'ccm' | 'mac';
  replace?: boolean;
  erase?: boolean;
  allowWeakLink?: boolean;
  repl?: boolean;
  luac?: string;
  start?: Record<string, unknown>;
  dryRun?: boolean;
}

/** `whetstone flash`: from a bare board to a device. */
export function flash(program: Command, io: Io): void {
  speaksToGateway(program.command('flash'))
    .description('put runtime, keys and first model onto a board, start it and hear its hello')
    .option(
      '--port <path>',
      "the board's port; without it, ports with something plugged in and boards heard by Bluetooth are listed",
    )
    .option(
      '--ble <name>',
      'in its place: name or address of a board by Bluetooth, its keys in the air meanwhile',
    )
    .option('--board <name>', `required with --port: one of ${boardNames().join(', ')}`)
    .option('--task <task>', 'a task by name, or a task file', TASK)
    .option('--id <name>', "the device's name (default: board and end of its serial number)")
    .option('--key-file <file>', 'key of an encrypted store')
    .option(
      '--model <version>',
      "a version or 'latest' (default: the fleet's champion, if there is one)",
    )
    .addOption(
      new Option('--suite <suite>', 'a weaker suite than the best of the board').choices([
        'ccm',
        'mac',
      ]),
    )
    .option('--replace', 'this is the board that has keys under --id already')
    .option('--erase', "erase files on the board that are not Whetstone's")
    .option('--allow-weak-link', 'the board can do without keys, on a cable')
    .option('--repl', 'lines in the place of packets (older firmware is found out by itself)')
    .option('--luac <path>', 'luac.cross of the NodeMCU build, for boards with a Lua flash store')
    .option('--start <json>', 'more start options, \'{"pins":["A0"]}\'', json)
    .option('--dry-run', 'look at the board and say what would be done; change nothing')
    .addHelpText(
      'after',
      '\nThe board has its own firmware already. What is in its Storage is erased. Its keys are entered at\n' +
        'the gateway that runs on --data-dir or at --gateway; where none runs, in the data directory. A\n' +
        'run that was cut short is run again. To get the prompt back from a board that runs: hold its\n' +
        "button while it starts, or by cable: printf '\\0~~~~\\0' > PORT\n" +
        '\nExample:\n  $ npx whetstone flash\n' +
        '  $ npx whetstone flash --port /dev/ttyUSB0 --board puckjs --task gesture --dry-run\n' +
        '  $ npx whetstone flash --port /dev/ttyUSB0 --board puckjs --task gesture --id puck-1',
    )
    .action(async (options: Options, command: Command) => {
      const where = options.port ?? options.ble;
      if (where === undefined) return listPorts(io, options);
      if (options.board === undefined) {
        return command.error(
          `whetstone: not specified: --board NAME (one of ${boardNames().join(', ')})`,
        );
      }
      const again = `whetstone flash ${wordsOf(command).map(shellWord).join(' ')}`;
      const done = await run(io, where, options.board, options, again);
      if (options.json) return sayJson(io, done);
      for (const line of linesOf(done, options)) say(io, line);
    });
}

async function run(
  io: Io,
  path: string,
  name: string,
  options: Options,
  again: string,
): Promise<Flashed> {
  const board = loadBoard(name);
  const task = loadTask(options.task);
  const [{ flashBoard }, { serialPort }, { blePort }, { bleRadio }] = await Promise.all([
    import('../flash/flash-board.ts'),
    import('../link/serial.ts'),
    import('../link/ble.ts'),
    import('../link/ble-radio.ts'),
  ]);
  const { allowWeakLink = false, dryRun = false } = options;
  const keeper = await keeperOf(options, task);
  const radio = options.port === undefined ? bleRadio() : undefined;
  const bar = progress(io);
  const abort = new AbortController();
  const stop = () => abort.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    const what: FlashOptions = {
      ...{ ...given(options), board, task, keeper, allowWeakLink },
      open: radio === undefined ? (baud) => serialPort(path, { baud }) : () => blePort(radio, path),
      ble: radio !== undefined,
      onProgress: (share, what) => bar.update(share, what),
      ...{ signal: abort.signal, again },
    };
    return await flashBoard(what, dryRun);
  } finally {
    bar.stop();
    for (const signal of signals) process.off(signal, stop);
    await keeper.close();
    radio?.close();
  }
}

/** What was typed behind the verb, as words of a shell. */
function wordsOf(command: Command): string[] {
  const typed = command.options.filter(
    (option) => command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  return typed.flatMap((option) => {
    const value = command.getOptionValue(option.attributeName());
    const name = option.long as string;
    if (value === true) return [name];
    return [name, typeof value === 'string' ? value : JSON.stringify(value)];
  });
}

/** What of the options is flashing's own. */
function given(options: Options) {
  const { id, model, suite, replace, erase, repl, luac, start } = options;
  const all = { id, model, suite, replace, erase, repl, luac, start };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** The data directory, opened; where its gateway runs, or another is named, that gateway. */
async function keeperOf(options: Options, task: Task): Promise<Keeper> {
  const { dataDir = DATA_DIR, allowWeakLink = false, keyFile, gateway, url } = options;
  const [{ runningKeeper, storedKeeper }, { remoteCalls }, { readStoreKey }] = await Promise.all([
    import('../flash/keeper.ts'),
    import('../api/client.ts'),
    import('../store/store-key.ts'),
  ]);
  if ((gateway ?? url) === undefined) {
    // to look leaves nothing behind
    const directory = options.dryRun && !existsSync(dataDir) ? ':memory:' : dataDir;
    try {
      const key = readStoreKey(keyFile);
      return storedKeeper({ directory, task, key, allowWeakLink, named: dataDir });
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'in-use') throw error;
    }
  }
  const remote = remoteOf(options);
  return runningKeeper(remoteCalls(remote), remote.url);
}

async function listPorts(io: Io, { json: asJson }: Options): Promise<void> {
  const [{ candidates }, { heardByBluetooth }] = await Promise.all([
    import('../flash/ports.ts'),
    import('../flash/nearby.ts'),
  ]);
  const [ports, bluetooth] = await Promise.all([candidates(), heardByBluetooth()]);
  if (asJson) return sayJson(io, { ports, bluetooth });
  if (ports.length === 0) {
    say(io, 'no serial port with anything plugged in; a cable for charging alone carries no data');
  }
  for (const { path, what } of ports) say(io, `${path}  ${what}`);
  const { boards, lacks } = bluetooth;
  for (const { name, address, rssi } of boards) {
    say(io, `${address}  ${name || 'no name'}, by Bluetooth, ${rssi} dBm`);
  }
  if (lacks !== null) say(io, `Bluetooth was not listened to: ${lacks}`);
  else if (boards.length === 0)
    say(io, 'no board is heard by Bluetooth: is it on, near, and not connected?');
  const [first] = ports;
  say(
    io,
    `flash one with: whetstone flash --port ${first?.path ?? 'PORT'} --board NAME --task gesture`,
  );
  const [nearest] = boards;
  const ble = nearest === undefined ? 'NAME' : shellWord(nearest.name || nearest.address);
  say(io, `or by Bluetooth: whetstone flash --ble ${ble} --board NAME --task gesture`);
  say(io, `boards: ${boardNames().join(', ')}`);
}

function linesOf(flashed: Flashed, options: Options): string[] {
  const { device, board, task, firmware, way, suite, sensor, runtimeBytes, keptIn, done } = flashed;
  const link = suite === 'none' ? 'NO KEYS: keep it on a cable' : `keys for ${suite}, in ${keptIn}`;
  const head = [
    `${device}: ${board}, task ${task}, firmware ${firmware} by ${way}`,
    `link: ${link}`,
    `sensor: ${sensor}`,
  ];
  const model = flashed.version === null ? 'none yet' : flashed.version.slice(0, 8);
  if (done === undefined) {
    return [
      ...head,
      `would erase its Storage, write and read back a runtime of ${runtimeBytes} bytes`,
      `would bring the model: ${model}`,
      'nothing was changed; run it without --dry-run',
    ];
  }
  const { ms, sentBytes, selfTest, tier, version, modelWireBytes } = done;
  const test = selfTest === null ? '' : `, self-test ${selfTest}`;
  const brought = modelWireBytes > 0 ? `, ${modelWireBytes} bytes on the wire` : '';
  return [
    ...head,
    `written and read back: ${runtimeBytes + flashed.slotBytes} bytes, ${sentBytes} sent, in ${(ms.upload / 1000).toFixed(1)} s`,
    `hello after ${ms.hello} ms${tier === '' ? '' : `, kernel ${tier}`}`,
    `model: ${version?.slice(0, 8) ?? 'none yet, it comes from the gateway (whose first one: docs/flashing.md#the-first-model)'}${test}${brought}`,
    ...(keptIn.startsWith('the gateway') ? [] : [`its gateway: ${startOf(options)}`]),
  ];
}

/** What starts the gateway that has the device's keys. */
function startOf({ port, ble, dataDir, keyFile, task }: Options): string {
  const words = [
    ...(port === undefined ? ['--ble', ble as string] : ['--port', port]),
    ...(dataDir === undefined ? [] : ['--data-dir', dataDir]),
    ...(keyFile === undefined ? [] : ['--key-file', keyFile]),
    ...(task === TASK ? [] : ['--task', task]),
  ];
  return `whetstone start ${words.map(shellWord).join(' ')}`;
}

function json(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    throw new InvalidArgumentError(`It is not JSON: ${(error as Error).message}`);
  }
  throw new InvalidArgumentError('It takes an object.');
}
