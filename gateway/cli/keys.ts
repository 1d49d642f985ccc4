import { chmodSync, closeSync, openSync, writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { KeyView } from '../calls.ts';
import { unwritable } from '../named-file.ts';
import { type Io, moment, say, table } from './io.ts';
import { bare } from './models.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

interface AddOptions extends RemoteOptions {
  board: string;
  out: string;
  suite?: 'ccm' | 'mac';
  replace?: boolean;
  model?: string;
}

const OWNER_ALONE = 0o600;

/** `whetstone keys`: who has keys; `add`, `rotate`, `remove`. No key is ever printed. */
export function keys(program: Command, io: Io): void {
  const command = speaksToGateway(program.command('keys'))
    .description('the keys of the devices of a running gateway: list, add, rotate, remove')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone keys add puck-1 --board puckjs --out puck-1.slots\n' +
        '  $ npx whetstone keys rotate puck-1\n  $ npx whetstone keys remove puck-1',
    )
    .action((options: RemoteOptions) => list(io, options));
  speaksToGateway(command.command('list'))
    .description('who has keys, of which generation')
    .action((_, list_: Command) => list(io, list_.optsWithGlobals<RemoteOptions>()));
  speaksToGateway(command.command('add'))
    .description('draw keys for a device and write what its flash gets')
    .argument('<device>', 'the name that it will be started with')
    .requiredOption('--board <board>', 'a board of hardware/boards')
    .requiredOption('--out <file>', 'where the slot file goes, readable for you alone')
    .option('--model <version>', 'put this version into it, too')
    .option('--replace', 'the device has keys already and is flashed again')
    .addOption(
      new Option('--suite <suite>', 'a weaker suite than the best of the board').choices([
        'ccm',
        'mac',
      ]),
    )
    .action((device: string, _, add: Command) => {
      const { out, board, suite, replace, model, ...options } = add.optsWithGlobals<AddOptions>();
      return tell(
        io,
        options,
        async (calls) => {
          checkWritable(out);
          const { image, ...rest } = await calls.addKeys({
            ...{ device, board },
            ...(suite !== undefined && { suite }),
            ...(replace && { replace }),
            ...(model !== undefined && { model: bare(model) }),
          });
          const bytes = Buffer.from(image, 'base64');
          save(out, bytes);
          return { ...rest, out, bytes: bytes.length };
        },
        (done) => {
          say(io, `${done.device}: keys for ${done.suite}, generation ${done.generation}`);
          say(io, `${done.out}: ${done.bytes} bytes for its slot file; it holds the keys`);
        },
      );
    });
  speaksToGateway(command.command('rotate'))
    .description('give a device new keys over its link')
    .argument('<device>', 'the device')
    .action((device: string, _, rotate: Command) =>
      tell(
        io,
        rotate.optsWithGlobals<RemoteOptions>(),
        (calls) => calls.rotateKeys(device),
        ({ pending, generation, connected }) => {
          const when = connected ? 'on their way' : 'waiting until it is here';
          const what = pending === null ? `in use: generation ${generation}` : when;
          say(io, `new keys of ${device} are ${what}`);
        },
      ),
    );
  speaksToGateway(command.command('remove'))
    .description('forget the keys of a device: it is refused from then on')
    .argument('<device>', 'the device')
    .action((device: string, _, remove: Command) =>
      tell(
        io,
        remove.optsWithGlobals<RemoteOptions>(),
        (calls) => calls.removeKeys(device),
        () => say(io, `${device} is refused from now on`),
      ),
    );
}

function list(io: Io, options: RemoteOptions): Promise<void> {
  return tell(
    io,
    options,
    async (calls) => ({ keys: await calls.keys() }),
    (answer) => say(io, listOf(answer.keys)),
  );
}

function listOf(all: KeyView[]): string {
  if (all.length === 0) return 'no device has keys';
  return table(
    ['device', 'board', 'suite', 'generation', 'since', ''],
    all.map(({ device, board, suite, generation, pending, rotatedAt, removedAt, connected }) => [
      ...[device, board, suite, generation === null ? '-' : String(generation)],
      moment(removedAt ?? rotatedAt),
      removedAt !== null
        ? 'removed: refused'
        : pending !== null
          ? `generation ${pending} is on its way`
          : connected
            ? 'connected'
            : '',
    ]),
  );
}

/**
 * Keys are drawn once: whether the file can be written is seen before, without touching what is there.
 */
function checkWritable(path: string): void {
  attempt(path, () => closeSync(openSync(path, 'a', OWNER_ALONE)));
}

function save(path: string, bytes: Uint8Array): void {
  attempt(path, () => {
    chmodSync(path, OWNER_ALONE);
    writeFileSync(path, bytes, { mode: OWNER_ALONE });
  });
}

function attempt(path: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    throw unwritable(path, cause, { hint: 'choose another place with --out' });
  }
}
