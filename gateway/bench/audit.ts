import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createSealer } from '../audit/sealer.ts';
import { verifyStore } from '../audit/verify.ts';
import { openKeyring } from '../registry/keyring.ts';
import { memorySigner } from '../registry/signing.ts';
import { openStore } from '../store/store.ts';
import { type BenchReport, machine } from './report.ts';

const ENTRIES = 20_000;
/** Entries in one transaction: as a busy gateway groups them. */
const GROUP = 100;

/** What the chained log costs: an entry with its hash beside one without, a signed head, a verification. */
export async function benchAudit(): Promise<BenchReport> {
  const directory = mkdtempSync(join(tmpdir(), 'whetstone-bench-'));
  try {
    const plain = new DatabaseSync(join(directory, 'plain.db'));
    plain.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
        kind TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL) STRICT`);
    const insert = plain.prepare(
      'INSERT INTO events (at, kind, subject, data) VALUES (?, ?, ?, ?)',
    );
    const without = perEntry((from) => {
      plain.exec('BEGIN IMMEDIATE');
      for (let i = from; i < from + GROUP; i++) {
        insert.run(i, 'label.added', 'watch-1', JSON.stringify({ have: i, want: 20 }));
      }
      plain.exec('COMMIT');
    });
    plain.close();

    const store = openStore({ directory: join(directory, 'store') });
    const keyring = openKeyring(store, memorySigner(), Date.now);
    const sealer = createSealer(store, keyring, join(directory, 'head.json'), Date.now);
    const chained = perEntry((from) =>
      store.transaction(() => {
        for (let i = from; i < from + GROUP; i++) {
          store.journal.write('label.added', 'watch-1', { have: i, want: 20 }, i);
        }
      }),
    );
    const sealed = timed(() => sealer.seal());
    let isWhole = false;
    const verified = timed(() => {
      isWhole = verifyStore(store).ok;
    });
    store.close();
    if (!isWhole) throw new Error('the log of the benchmark does not verify');
    const peer = { peer: 'without a hash', peerValue: without, ratio: without / chained };
    return {
      ...{ bench: 'audit', machine: machine() },
      rows: [
        { name: 'an entry of the log, 100 a transaction', value: chained, unit: 'µs', ...peer },
        { name: 'signing the head', value: sealed, unit: 'µs' },
        { name: 'verifying an entry', value: verified / ENTRIES, unit: 'µs' },
      ],
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function timed(run: () => void): number {
  const from = performance.now();
  run();
  return (performance.now() - from) * 1000;
}

/** µs for an entry, of all groups together. */
function perEntry(group: (from: number) => void): number {
  const all = timed(() => {
    for (let from = 0; from < ENTRIES; from += GROUP) group(from);
  });
  return all / ENTRIES;
}
