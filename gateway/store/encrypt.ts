import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../errors.ts';
import { groupCommit } from './commit.ts';
import { storeFile } from './database.ts';
import { storeFailure } from './failure.ts';
import { journalOf } from './journal.ts';
import { lockDirectory } from './lock.ts';
import { finishRestore } from './restore.ts';
import { type Rows, rowsOf } from './rows.ts';
import { migrations, schemaVersion } from './schema.ts';
import { isKeyFile, prepareSealed, settleSealed } from './sealed-file.ts';
import { vaultOf, writeSealing } from './sealing.ts';
import { keyIdOf, type StoreKey } from './store-key.ts';
import type { Vault } from './vault.ts';
import { openText, sealText } from './vault.ts';

/** A column that is sealed: how its rows are named, and whether it holds text. */
export interface SealedColumn {
  table: string;
  column: string;
  /** columns whose values, joined by '/', name a row */
  key: readonly string[];
  isText?: boolean;
}

/** Every sealed column of the newest schema: what is sealed elsewhere in the store must be here. */
const sealedColumns: readonly SealedColumn[] = [
  { table: 'samples', column: 'window', key: ['device', 'session', 'seq'] },
  { table: 'samples', column: 'embedding', key: ['device', 'session', 'seq'] },
  { table: 'parts', column: 'bytes', key: ['sha256'] },
  { table: 'states', column: 'json', key: ['name'], isText: true },
  { table: 'linkKeys', column: 'keys', key: ['device'] },
  { table: 'linkKeys', column: 'pending', key: ['device'] },
];

/** How a store is encrypted. */
export interface EncryptRequest {
  directory: string;
  /** from now on */
  key: StoreKey;
  /** of before; undefined where it was not encrypted */
  from?: StoreKey | undefined;
  now?: () => number;
  /** told of each thousand values */
  onProgress?: (done: number) => void;
}

const BATCH = 1000;

/**
 * Encrypts a store that is there, or changes its key: in one transaction, so that a cut at any moment
 * leaves it as it was. It needs as much room again as the store has. Key files beside it are sealed
 * with it: what was prepared for them counts from the commit on.
 *
 * @returns how many values were sealed, and the key's fingerprint
 * @throws GatewayError 'in-use' while the gateway runs; 'store-key' if the key of before is wrong or
 *   the new one is that already; 'not-found'; 'store' if the store is of an older schema
 */
export function encryptStore(request: EncryptRequest): { values: number; keyId: string } {
  const { directory, key, from, now = Date.now } = request;
  const unlock = lockDirectory(directory);
  let db: DatabaseSync | undefined;
  try {
    finishRestore(directory);
    if (!existsSync(storeFile(directory))) {
      throw new GatewayError('not-found', `no store in ${directory}`, {
        hint: 'a new store is encrypted from its start: whetstone start --key-file FILE',
      });
    }
    db = new DatabaseSync(storeFile(directory), { timeout: 2000 });
    if (schemaVersion(db) !== migrations.length) {
      throw new GatewayError('store', `the store in ${directory} has another schema`, {
        hint: 'start the gateway there first, it brings the store up to date: whetstone start',
      });
    }
    const rows = rowsOf(db);
    const old = vaultOf(rows, from, directory, now);
    const keyId = keyIdOf(key.bytes);
    if (old.keyId === keyId) {
      throw new GatewayError('store-key', `the store in ${directory} has key ${keyId} already`);
    }
    settleSealed(directory, old);
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; BEGIN IMMEDIATE',
    );
    const vault = writeSealing(rows, key, now);
    let values = 0;
    for (const column of sealedColumns) {
      values += convert(rows, column, old, vault, (n) => request.onProgress?.(values + n));
    }
    const commit = groupCommit(db, {
      ...{ maxOperations: 1, schedule: () => {} },
      failure: (cause) => storeFailure(cause, directory, true),
    });
    const name = rows.one<{ value: string }>("SELECT value FROM meta WHERE name = 'gateway'");
    const journal = journalOf(rows, commit, name?.value as string);
    const [newest] = journal.find({ order: 'newest', limit: 1 });
    // the log stays in order where the clock was set back
    const at = Math.max(now(), newest?.at ?? 0);
    journal.write('store.encrypted', keyId, { before: old.keyId, values }, at);
    for (const name of readdirSync(directory).filter(isKeyFile)) {
      prepareSealed(join(directory, name), old, vault);
    }
    db.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
    settleSealed(directory, vault);
    return { values, keyId };
  } catch (cause) {
    throw storeFailure(cause, directory, true);
  } finally {
    if (db?.isOpen) db.close();
    unlock();
  }
}

function convert(
  rows: Rows,
  { table, column, key, isText = false }: SealedColumn,
  old: Vault,
  vault: Vault,
  onBatch: (done: number) => void,
): number {
  let done = 0;
  for (let last = -1; ; ) {
    const batch = rows.all<Record<string, unknown> & { id: number }>(
      `SELECT rowid AS id, ${key.join(', ')}, ${column} AS value FROM ${table}
       WHERE rowid > ? AND ${column} IS NOT NULL ORDER BY rowid LIMIT ${BATCH}`,
      last,
    );
    for (const row of batch) {
      const name = key.map((part) => row[part]).join('/');
      const value = isText
        ? sealText(
            vault,
            table,
            name,
            column,
            openText(old, table, name, column, row.value as string),
          )
        : vault.seal(table, name, column, old.open(table, name, column, row.value as Uint8Array));
      rows.run(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`, value, row.id);
      last = row.id;
    }
    done += batch.length;
    if (batch.length > 0) onBatch(done);
    if (batch.length < BATCH) return done;
  }
}
