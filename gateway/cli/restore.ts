import type { Command } from 'commander';
import { type Io, moment, say, sayJson, shellWord } from './io.ts';

interface Options {
  dataDir: string;
  replace?: boolean;
  trustAgain?: boolean;
  keyFile?: string;
  json?: boolean;
}

/** `whetstone restore`: a data directory becomes what a backup holds, whole or not at all. */
export function restore(program: Command, io: Io): void {
  program
    .command('restore')
    .description('put a backup in place; it is verified before anything is replaced')
    .argument('<file>', 'a file that `whetstone backup` wrote')
    .requiredOption('--data-dir <dir>', 'where the data of the gateway is to be')
    .option('--replace', 'the store that is there may be replaced; else the folder must be empty')
    .option('--trust-again', 'also keys and tokens that were revoked or removed after the backup')
    .option('--key-file <file>', 'key of an encrypted backup')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone restore /media/usb/whetstone-monday.backup --data-dir .whetstone',
    )
    .action(async (file: string, { dataDir, keyFile, json, ...options }: Options) => {
      const restoring = await import('../restoring.ts');
      const { readStoreKey } = await import('../store/store-key.ts');
      const key = readStoreKey(keyFile);
      const contents = restoring.restore({ path: file, directory: dataDir, key, ...options });
      if (json) return sayJson(io, { file, dataDir, ...contents });
      for (const { kind, subject } of contents.trustedAgain ?? []) {
        say(io, `TRUSTED AGAIN, revoke it: ${kind} ${subject}`);
      }
      if (contents.unread) {
        say(
          io,
          'the store before could not be read: revoke again what was revoked since the backup',
        );
      }
      const words = [
        '--data-dir',
        dataDir,
        ...(keyFile === undefined ? [] : ['--key-file', keyFile]),
      ];
      const next = `whetstone start ${words.map(shellWord).join(' ')}`;
      say(io, `${dataDir} holds the store of ${moment(contents.at)}; go on with: ${next}`);
    });
}
