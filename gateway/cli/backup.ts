import type { Command } from 'commander';
import { DATA_DIR } from '../run-file.ts';
import { type Io, moment, say, sayJson } from './io.ts';

/** `whetstone backup`: store and keys in one file, while the gateway runs. */
export function backup(program: Command, io: Io): void {
  program
    .command('backup')
    .description('write store and keys into one file, whether or not the gateway runs')
    .argument('<file>', 'the backup; it must not exist')
    .option('--data-dir <dir>', 'where the data of the gateway is', DATA_DIR)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nIt holds the key that the gateway signs with: keep it as you keep that. Of an encrypted store\n' +
        'everything stays encrypted, and it is worth nothing without the key file, which is not in it.\n' +
        '\nExample:\n  $ npx whetstone backup /media/usb/whetstone-monday.backup',
    )
    .action(async (file: string, { dataDir, json }: { dataDir: string; json?: boolean }) => {
      const { writeBackup } = await import('../store/backup.ts');
      const contents = writeBackup(dataDir, file, Date.now());
      if (json) return sayJson(io, { file, ...contents });
      const bytes = contents.files.reduce((sum, entry) => sum + entry.bytes, 0);
      const key = contents.keyId === null ? 'not encrypted' : `needs key ${contents.keyId}`;
      const names = contents.files.map(({ name }) => name).join(', ');
      say(
        io,
        `${file}: ${names} of ${moment(contents.at)}, ${(bytes / 1e6).toFixed(1)} MB, ${key}`,
      );
    });
}
