import { closeSync, openSync, writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AddedToken, ROLES, type Role, type TokenView } from '../calls.ts';
import { unwritable } from '../named-file.ts';
import { type Io, integer, moment, say, table } from './io.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

interface AddOptions extends RemoteOptions {
  role: Role;
  days?: number;
  out?: string;
}

/** `whetstone tokens`: who may ask the gateway; `add`, `revoke`. */
export function tokens(program: Command, io: Io): void {
  const command = speaksToGateway(program.command('tokens'))
    .description('who may ask the gateway, from other machines too: list, add, revoke')
    .addHelpText(
      'after',
      '\nA viewer sees everything; a labeller also labels; an operator also trains, promotes and rolls\n' +
        'back; an admin also has keys and tokens.\n' +
        '\nExample:\n  $ npx whetstone tokens add ann --role labeller --days 90\n' +
        '  $ npx whetstone tokens add node-red --role operator --out node-red.token\n' +
        '  $ npx whetstone tokens revoke 0123456789ab',
    )
    .action((options: RemoteOptions) => list(io, options));
  speaksToGateway(command.command('list'))
    .description('every token; never what is secret of it')
    .action((_, verb: Command) => list(io, verb.optsWithGlobals<RemoteOptions>()));
  speaksToGateway(command.command('add'))
    .description('make a token; it is shown this once')
    .argument('<name>', 'of the person or program')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--days <n>', 'how long it counts (default: until it is revoked)', integer(1, 3660))
    .option('--out <file>', 'write it there, readable for you alone, instead of showing it')
    .action((name: string, _, verb: Command) => {
      const { role, days, out, ...options } = verb.optsWithGlobals<AddOptions>();
      // it is told once: whether it can be kept is seen before
      if (out !== undefined) attempt(out, () => closeSync(openSync(out, 'wx', 0o600)));
      return tell(
        io,
        options,
        (calls) => calls.addToken({ name, role, ...(days !== undefined && { days }) }),
        (added) => tellAdded(io, added, out),
      );
    });
  speaksToGateway(command.command('revoke'))
    .description('end a token, and every sign-in with it')
    .argument('<id>', 'of the token: see `tokens`', tokenId)
    .action((id: string, _, verb: Command) =>
      tell(
        io,
        verb.optsWithGlobals<RemoteOptions>(),
        (calls) => calls.revokeToken(id),
        ({ name, role }) => say(io, `${name} (${role}) has no access any more`),
      ),
    );
}

function tokenId(text: string): string {
  if (/^[0-9a-f]{12}$/.test(text)) return text;
  throw new InvalidArgumentError('It takes the 12 digits before the name, see: whetstone tokens');
}

function tellAdded(io: Io, { token, name, role, expiresAt }: AddedToken, out?: string): void {
  const until = expiresAt === null ? 'until it is revoked' : `until ${moment(expiresAt)}`;
  if (out === undefined) {
    say(io, token);
    say(io, `${name} is ${role} with it, ${until}; it is not shown again`);
    return;
  }
  attempt(out, () => writeFileSync(out, `${token}\n`, { mode: 0o600 }));
  say(io, `${out}: ${name} is ${role} with it, ${until}`);
}

function list(io: Io, options: RemoteOptions): Promise<void> {
  return tell(
    io,
    options,
    async (calls) => ({ tokens: await calls.tokens() }),
    (answer) => say(io, listOf(answer.tokens)),
  );
}

function listOf(all: TokenView[]): string {
  return table(
    ['token', 'name', 'role', 'since', 'used', 'until', ''],
    all.map(({ id, name, role, addedAt, usedAt, expiresAt, revokedAt, valid }) => [
      ...[id, name, role, moment(addedAt), moment(usedAt), moment(expiresAt)],
      revokedAt !== null ? `revoked ${moment(revokedAt)}` : valid ? '' : 'expired',
    ]),
  );
}

function attempt(path: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    throw unwritable(path, cause, {
      hint: 'choose another place with --out; no file is overwritten',
    });
  }
}
