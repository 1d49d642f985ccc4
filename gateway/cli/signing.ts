import type { Command } from 'commander';
import type { SigningKeyView } from '../calls.ts';
import { shortVersion } from '../ui/words.ts';
import { type Io, moment, say, table } from './io.ts';
import { bare } from './models.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

type Because = RemoteOptions & { reason: string };

/** `whetstone signing`: the keys that sign versions; `rotate`, `revoke`, `sign`. */
export function signing(program: Command, io: Io): void {
  const show = (keys: SigningKeyView[]): void => say(io, list(keys));
  const command = speaksToGateway(program.command('signing'))
    .description('list the keys that sign versions, change or revoke one, sign a version again')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone signing\n  $ npx whetstone signing rotate\n' +
        "  $ npx whetstone signing revoke 9f86d081884c7d65 --reason 'the box was stolen'\n" +
        "  $ npx whetstone signing sign 3f2a9c41 --reason 'looked at its report'",
    )
    .action((options: RemoteOptions) =>
      tell(
        io,
        options,
        async (calls) => ({ keys: await calls.signingKeys() }),
        ({ keys }) => show(keys),
      ),
    );
  speaksToGateway(command.command('rotate'))
    .description('let a new key take over; what the old one signed stays good')
    .addHelpText('after', '\nExample:\n  $ npx whetstone signing rotate')
    .action((_, rotate: Command) =>
      tell(
        io,
        rotate.optsWithGlobals<RemoteOptions>(),
        async (calls) => ({ keys: await calls.rotateSigning() }),
        ({ keys }) => show(keys),
      ),
    );
  speaksToGateway(command.command('revoke'))
    .description('trust a key no more: what it signed is neither offered nor released')
    .argument('<key>', 'its id')
    .requiredOption('--reason <text>', 'why, for the log')
    .addHelpText('after', "\nExample:\n  $ npx whetstone signing revoke ID --reason 'stolen'")
    .action((id: string, _, revoke: Command) => {
      const { reason, ...options } = revoke.optsWithGlobals<Because>();
      return tell(
        io,
        options,
        async (calls) => ({ keys: await calls.revokeSigning({ id, reason }) }),
        ({ keys }) => show(keys),
      );
    });
  speaksToGateway(command.command('sign'))
    .description('sign a version with the newest key, after somebody looked at it')
    .argument('<version>', 'the version, or its first digits')
    .requiredOption('--reason <text>', 'why it is trusted, for the log')
    .addHelpText('after', "\nExample:\n  $ npx whetstone signing sign 3f2a9c41 --reason 'reviewed'")
    .action((version: string, _, sign: Command) => {
      const { reason, ...options } = sign.optsWithGlobals<Because>();
      return tell(
        io,
        options,
        (calls) => calls.signVersion({ version: bare(version), reason }),
        (signed) => say(io, `${shortVersion(signed.version)} is signed by ${signed.signer}`),
      );
    });
}

function list(keys: SigningKeyView[]): string {
  return table(
    ['key', 'since', 'versions', 'signed by', ''],
    keys.map(({ id, since, versions, signedBy, current, revoked }) => [
      ...[id, moment(since), String(versions), signedBy === id ? 'itself' : signedBy],
      revoked !== null
        ? `REVOKED ${moment(revoked.at)}: ${revoked.reason}`
        : current
          ? 'signs'
          : 'retired',
    ]),
  );
}
