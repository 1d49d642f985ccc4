import { randomUUID } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../errors.ts';
import { damagedStore } from './failure.ts';
import { checkState, damageOf, isCheckDue, setCheckState } from './integrity.ts';
import type { StoreOptions } from './options.ts';
import { rowsOf } from './rows.ts';
import { migrate, migrations, schemaVersion } from './schema.ts';
import { vaultOf, writeSealing } from './sealing.ts';
import { plainVault, type Vault } from './vault.ts';

/** A database that was found whole, of the newest schema, with what opens its sealed columns. */
export interface OpenDatabase {
  db: DatabaseSync;
  vault: Vault;
  /** the key was drawn with it: what is new is sealed from its first row on */
  isNew: boolean;
}

/** The file of a store in its directory. */
export const storeFile = (directory: string): string =>
  directory === ':memory:' ? directory : join(directory, 'store.db');

/** The WAL file keeps no more than this after a checkpoint. */
const WAL_BYTES = 16 * 1024 * 1024;
/** Pages of the WAL after which they are moved to the file: as many as that is, of 4,096 bytes. */
const WAL_PAGES = 4000;
/** Memory for pages, KiB: the ends of all indexes of many devices fit, so that none is read again. */
const CACHE_KIB = 16 * 1024;

/**
 * Opens the database of a store: asks for its key, looks it through, brings it to the newest schema.
 * Nothing is written before all of that is well.
 *
 * @throws GatewayError 'store-key', 'damaged', 'store'; SQLite's own errors
 */
export function openDatabase(options: StoreOptions): OpenDatabase {
  const { directory, readOnly = false, key, now = Date.now } = options;
  const db = new DatabaseSync(storeFile(directory), { readOnly, timeout: 2000 });
  try {
    const from = schemaVersion(db);
    const isNew = from === 0;
    if (from > migrations.length || (readOnly && from < migrations.length)) {
      throw otherSchema(from, directory);
    }
    const vault = isNew ? plainVault : vaultOf(rowsOf(db), key, directory, now);
    if (readOnly) return { db, vault, isNew };
    const checked = isNew ? undefined : check(db, vault, options);
    // space that is freed can be given back: to be said before the first table is made
    if (isNew) db.exec('PRAGMA auto_vacuum = INCREMENTAL');
    const { durability = 'power' } = options;
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON;
      PRAGMA journal_size_limit = ${WAL_BYTES};
      PRAGMA wal_autocheckpoint = ${WAL_PAGES};
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'}`);
    let drawn: Vault | undefined;
    migrate(db, migrations, () => {
      const rows = rowsOf(db);
      rows.run("INSERT OR IGNORE INTO meta (name, value) VALUES ('gateway', ?)", randomUUID());
      if (isNew) drawn = writeSealing(rows, key, now);
      setCheckState(db, { at: checked ?? now(), closed: false });
    });
    if (!isNew) compact(db, directory);
    return { db, vault: drawn ?? vault, isNew };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Notes that a store is closed in order: the next start need not look through a great one. */
export function noteClosed(db: DatabaseSync): void {
  const state = checkState(db);
  if (state !== undefined) setCheckState(db, { ...state, closed: true });
}

/** @returns when it was last looked through */
function check(db: DatabaseSync, vault: Vault, options: StoreOptions): number {
  const { directory, now = Date.now } = options;
  const before = checkState(db);
  if (before !== undefined && !isCheckDue(bytesOf(db).file, before, now())) return before.at;
  const [first, ...others] = damageOf(db, vault);
  if (first === undefined) return now();
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  throw damagedStore(directory, `${first.split('\n')[0]}${more}`);
}

/** Bytes of the file, and those of them that hold something. */
export function bytesOf(db: DatabaseSync): { file: number; used: number } {
  const pragma = (name: string) =>
    Number(Object.values(db.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[0]);
  const [pages, free, size] = ['page_count', 'freelist_count', 'page_size'].map(pragma);
  return { file: pages! * size!, used: (pages! - free!) * size! };
}

const INCREMENTAL = 2;

/** Whether space that is freed in it can be given back. */
export function canShrink(db: DatabaseSync): boolean {
  const { auto_vacuum: mode } = db.prepare('PRAGMA auto_vacuum').get() as { auto_vacuum: number };
  return mode === INCREMENTAL;
}

/** Rewriting a store needs its size twice, in the WAL and in a temporary file; and some room is left. */
const REWRITE = 2.5;

/**
 * Lets a store that was made without it give freed space back: it is rewritten, once. Where there is
 * no room for that it stays as it is; what is freed in it is used again, but not given back.
 */
function compact(db: DatabaseSync, directory: string): void {
  if (canShrink(db) || directory === ':memory:') return;
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize < REWRITE * bytesOf(db).file) return;
  db.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
}

function otherSchema(from: number, directory: string): GatewayError {
  if (from > migrations.length) {
    const message = `the store in ${directory} has schema ${from}, newer than ${migrations.length}`;
    return new GatewayError('store', message, {
      hint: 'use the Whetstone that wrote it, or a newer one',
    });
  }
  return new GatewayError(
    'store',
    from === 0 ? `no store in ${directory} yet` : `the store in ${directory} has schema ${from}`,
    { hint: 'start the gateway there first, it brings the store up to date: whetstone start' },
  );
}
