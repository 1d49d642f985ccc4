import type { Command } from 'commander';
import type { GatewayEvent } from '../calls.ts';
import { DATA_DIR } from '../run-file.ts';
import { sentence } from '../ui/words.ts';
import { type Io, integer, moment, say, sayJson, table } from './io.ts';

interface Options {
  dataDir: string;
  keyFile?: string;
  since?: number;
  limit: number;
  all?: boolean;
  json?: boolean;
}

/** Kinds of events that change what devices run, what is taught, who is believed, or what is kept. */
const weighty =
  /^(model|signer|key|log|store|gateway)\.|^rollout\.(started|done|rolledback)$|^label\.(imported|withdrawn)$|^gate\.|^update\.refused$|^token\.(added|revoked)$|^device\.(seen|refused|worn)$|^sample\.released$/;
/** Entries that are read at a time. */
const PAGE = 1000;

/** `whetstone audit`: the log with its hashes, as it lies in the store. */
export function audit(program: Command, io: Io): void {
  program
    .command('audit')
    .description('list what was decided, by whom, with the hash of each entry of the log')
    .option('--data-dir <dir>', 'where the data of the gateway is', DATA_DIR)
    .option('--key-file <file>', 'key of an encrypted store')
    .option('--since <entry>', 'those after this one', integer(0))
    .option('--limit <n>', 'the newest n', integer(1, 1000), 50)
    .option('--all', 'also what decides nothing: labels one by one, alarms, progress')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone audit\n  $ npx whetstone audit --all --json',
    )
    .action(async ({ dataDir, keyFile, since = 0, limit, all, json }: Options) => {
      const { openStore } = await import('../store/store.ts');
      const { readStoreKey } = await import('../store/store-key.ts');
      const store = openStore({ directory: dataDir, readOnly: true, key: readStoreKey(keyFile) });
      try {
        const { journal } = store;
        let found: (GatewayEvent & { hash: string })[] = [];
        let rows = journal.rows(since, PAGE);
        while (rows.length > 0) {
          for (const { data, hash, ...row } of rows) {
            if (!all && !weighty.test(row.kind)) continue;
            found.push({ ...row, data: JSON.parse(data), hash: Buffer.from(hash).toString('hex') });
          }
          found = found.slice(-limit);
          rows = journal.rows((rows.at(-1) as { id: number }).id, PAGE);
        }
        const { event, hash } = journal.head();
        const head = { entry: event, hash: Buffer.from(hash).toString('hex') };
        if (json) return sayJson(io, { entries: found, head });
        say(io, list(found));
        say(io, `head #${head.entry} ${head.hash}`);
      } finally {
        store.close();
      }
    });
}

function list(entries: (GatewayEvent & { hash: string })[]): string {
  return table(
    ['entry', 'when', 'hash', 'what'],
    entries.map((entry) => {
      const { who, reason } = entry.data;
      const by = typeof who === 'string' ? ` (by ${who})` : '';
      const said = sentence(entry);
      const why = typeof reason === 'string' && !said.includes(reason) ? `: ${reason}` : '';
      return [`#${entry.id}`, moment(entry.at), entry.hash.slice(0, 16), `${said}${by}${why}`];
    }),
  );
}
