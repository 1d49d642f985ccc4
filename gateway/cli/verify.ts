import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Verification } from '../audit/verification.ts';
import { DATA_DIR } from '../run-file.ts';
import { colour, type Io, moment, say, sayJson } from './io.ts';

interface Options {
  dataDir: string;
  keyFile?: string;
  head?: string;
  json?: boolean;
}

/** `whetstone verify`: is the past of a store what was written and signed? */
export function verify(program: Command, io: Io): void {
  program
    .command('verify')
    .description("check a store's log, keys, versions and releases; the gateway may run beside it")
    .option('--data-dir <dir>', 'where the data of the gateway is', DATA_DIR)
    .option('--key-file <file>', 'key of an encrypted store')
    .option('--head <hash>', 'a hash that you noted: shows that nothing was cut off since', digits)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExit status is 1 if anything is not what was written or signed.' +
        '\nExample:\n  $ npx whetstone verify\n  $ npx whetstone verify --head 3f2a9c41d0e5b6a7',
    )
    .action(async ({ dataDir, keyFile, head, json }: Options) => {
      const found = await look(dataDir, keyFile, head);
      if (!found.ok) io.status = 1;
      if (json) sayJson(io, found);
      else say(io, text(io, found));
    });
}

async function look(dataDir: string, keyFile?: string, noted?: string): Promise<Verification> {
  const { openStore } = await import('../store/store.ts');
  const { readStoreKey } = await import('../store/store-key.ts');
  const { verifyStore } = await import('../audit/verify.ts');
  const { HEAD_FILE, readHead } = await import('../audit/heads.ts');
  const key = readStoreKey(keyFile);
  // the gateway may seal between the two: what lies beside is read first, and is then no newer
  const beside = readHead(join(dataDir, HEAD_FILE));
  const store = openStore({ directory: dataDir, readOnly: true, key });
  try {
    return verifyStore(store, { beside, noted });
  } finally {
    store.close();
  }
}

function digits(value: string): string {
  if (/^[0-9a-f]{16,64}$/i.test(value)) return value;
  throw new InvalidArgumentError('It takes at least the first 16 hexadecimal digits of a hash.');
}

function text(io: Io, found: Verification): string {
  const { entries, head, signed, models, releases, keys, problems, notes } = found;
  const until =
    signed === null
      ? 'not signed'
      : `signed up to #${signed.entry} by ${signed.signer}, ${moment(signed.at)}`;
  return [
    ...problems.map(({ what, why }) => `${colour(io, 'red', 'WRONG')} ${what}: ${why}`),
    ...notes.map((note) => `note: ${note}`),
    `${entries} entries, ${until}; ${models} versions, ${releases} releases, ${keys} signing keys`,
    `head #${head.entry} ${head.hash}`,
    found.ok
      ? `${colour(io, 'green', 'all is as it was written and signed')}; note the head elsewhere, and later: whetstone verify --head ${head.hash.slice(0, 16)}…`
      : 'restore a backup of before, or find out who changed it; nothing here mends it',
  ].join('\n');
}
