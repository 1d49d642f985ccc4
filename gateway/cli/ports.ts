import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { NewPort, PortView } from '../calls.ts';
import { type Io, say, table } from './io.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

interface PortOptions extends RemoteOptions {
  ble?: string;
}

/** `whetstone ports`: what a running gateway hears; `add`, `remove`. */
export function ports(program: Command, io: Io): void {
  const command = speaksToGateway(program.command('ports'))
    .description('the ports that a running gateway hears: list, add, remove')
    .addHelpText(
      'after',
      '\nWhat is added is kept, and heard again after the next start. To see what is plugged in: doctor' +
        '\n\nExample:\n  $ npx whetstone ports add /dev/ttyACM0\n  $ npx whetstone ports add --ble puck-1\n' +
        '  $ npx whetstone ports remove /dev/ttyACM0',
    )
    .action((options: RemoteOptions) => list(io, options));
  speaksToGateway(command.command('list'))
    .description('every port, and who is connected there')
    .action((_, verb: Command) => list(io, verb.optsWithGlobals<RemoteOptions>()));
  for (const [name, does] of [
    ['add', 'hear a further port, now and after the next start'],
    ['remove', 'hear a port no more, and close it'],
  ] as const) {
    speaksToGateway(command.command(name))
      .description(does)
      .argument('[path]', "serial port of the gateway's computer")
      .option('--ble <name>', 'board by Bluetooth instead: its name or address')
      .addHelpText('after', `\nExample:\n  $ npx whetstone ports ${name} /dev/ttyACM0`)
      .action((path: string | undefined, _, verb: Command) => {
        const { ble, ...options } = verb.optsWithGlobals<PortOptions>();
        if ((path === undefined) === (ble === undefined)) {
          verb.error('error: name a serial port, or a board by --ble: one of both');
        }
        const port = portOf(path, ble);
        return tell(
          io,
          options,
          (calls) => (name === 'add' ? calls.addPort(port) : calls.removePort(port)),
          (view) => say(io, name === 'add' ? addedLine(view) : removedLine(view)),
        );
      });
  }
}

function list(io: Io, options: RemoteOptions): Promise<void> {
  return tell(
    io,
    options,
    async (calls) => ({ ports: await calls.ports() }),
    ({ ports: all }) => {
      if (all.length === 0) return void say(io, 'no port; add one: npx whetstone ports add PATH');
      const rows = all.map(({ kind, name, from, devices }) => [
        ...[name, kind, from === 'start' ? 'the start' : 'added since'],
        devices.length === 0 ? 'nobody yet' : devices.join(', '),
      ]);
      say(io, table(['port', 'kind', 'named by', 'connected'], rows));
    },
  );
}

function portOf(path: string | undefined, ble: string | undefined): NewPort {
  if (ble !== undefined) return { kind: 'ble', name: ble };
  // a path of here is meant from here; one of another computer is as it is
  return { kind: 'serial', name: existsSync(path!) ? resolve(path!) : path! };
}

const addedLine = ({ name }: PortView): string =>
  `${name} is heard from now on, and after the next start; who is there: npx whetstone devices`;

const removedLine = ({ name, from }: PortView): string =>
  from === 'start'
    ? `${name} is closed; the next start opens it again: it is named on the command line or in the configuration`
    : `${name} is closed, and not heard any more`;
