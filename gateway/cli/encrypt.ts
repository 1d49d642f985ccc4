import type { Command } from 'commander';
import { GatewayError } from '../errors.ts';
import { DATA_DIR } from '../run-file.ts';
import { type Io, say, sayJson } from './io.ts';

interface Options {
  dataDir: string;
  keyFile?: string;
  oldKeyFile?: string;
  newKey?: string;
  json?: boolean;
}

/** `whetstone encrypt`: makes a key, and encrypts a store that is there. */
export function encrypt(program: Command, io: Io): void {
  program
    .command('encrypt')
    .description('make a key file, encrypt a store that is there, or change its key')
    .option('--new-key <file>', 'only make a key file, for this user alone')
    .option('--data-dir <dir>', 'where the data of the gateway is; it must not run', DATA_DIR)
    .option('--key-file <file>', 'the key from now on')
    .option('--old-key-file <file>', 'the key of before, where the store is encrypted')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nWithout its key an encrypted store and its backups are lost: keep a copy elsewhere.' +
        '\n\nExample:\n  $ npx whetstone encrypt --new-key /etc/whetstone/whetstone.key' +
        '\n  $ npx whetstone encrypt --key-file /etc/whetstone/whetstone.key' +
        '\n  $ npx whetstone start --key-file /etc/whetstone/whetstone.key',
    )
    .action(async ({ dataDir, keyFile, oldKeyFile, newKey, json }: Options) => {
      const { makeStoreKey, readStoreKey } = await import('../store/store-key.ts');
      if (newKey !== undefined) {
        const keyId = makeStoreKey(newKey);
        if (json) return sayJson(io, { keyFile: newKey, keyId });
        return say(io, `${newKey}: key ${keyId}; keep a copy elsewhere`);
      }
      const key = readStoreKey(keyFile);
      if (key === undefined) {
        throw new GatewayError('store-key', 'no key to encrypt with', {
          hint: 'make one: whetstone encrypt --new-key FILE, then: whetstone encrypt --key-file FILE',
        });
      }
      const from = oldKeyFile === undefined ? undefined : readStoreKey(oldKeyFile);
      const { encryptStore } = await import('../store/encrypt.ts');
      const onProgress = (done: number) => {
        if (io.err.isTTY) io.err.write(`\r${done} values`);
      };
      const done = encryptStore({ directory: dataDir, key, from, onProgress });
      if (io.err.isTTY) io.err.write('\n');
      if (json) return sayJson(io, { dataDir, ...done });
      say(io, `${dataDir} is encrypted with key ${done.keyId} (${done.values} values)`);
    });
}
