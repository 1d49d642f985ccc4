import type { DatabaseSync } from 'node:sqlite';
import { sha256 } from './catalogue.ts';
import { rowsOf } from './rows.ts';
import type { Vault } from './vault.ts';

/** When a store was last looked through, and whether it was closed in order since. */
export interface CheckState {
  /** ms since 1970 */
  at: number;
  closed: boolean;
}

/**
 * Up to this size a store is looked through at every start: about 2 s where the file is in memory,
 * 10 s from a slow disk. A greater one is where it was not closed in order, and once a week.
 */
export const ALWAYS_BYTES = 256 * 1024 * 1024;
const WEEK_MS = 7 * 86_400_000;
const META = 'checked';

/** Findings that are listed at most. */
const LISTED = 20;

/**
 * Looks a store through: whether its pages, trees and rows are whole, whether references lead
 * somewhere, whether each part of a model hashes to its name (and, sealed, was not altered).
 *
 * @param db open database, of any schema
 * @param vault that opens its sealed columns
 * @returns what is wrong, at most 20 findings; none where all is well
 */
export function damageOf(db: DatabaseSync, vault: Vault): string[] {
  const found: string[] = [];
  try {
    const quick = db.prepare(`PRAGMA quick_check(${LISTED})`).all() as { quick_check: string }[];
    found.push(...quick.map((row) => row.quick_check).filter((text) => text !== 'ok'));
    // with broken trees the rest says nothing
    if (found.length === 0) found.push(...danglingIn(db), ...wrongParts(db, vault));
  } catch (error) {
    found.push((error as Error).message);
  }
  return found.slice(0, LISTED);
}

function danglingIn(db: DatabaseSync): string[] {
  const found: string[] = [];
  for (const row of db.prepare('PRAGMA foreign_key_check').iterate()) {
    if (found.length === LISTED) break;
    const { table, rowid, parent } = row as { table: string; rowid: number; parent: string };
    found.push(`row ${rowid} of ${table} names a row of ${parent} that is missing`);
  }
  return found;
}

function wrongParts(db: DatabaseSync, vault: Vault): string[] {
  const rows = rowsOf(db);
  if (rows.one("SELECT 1 FROM sqlite_schema WHERE name = 'parts'") === undefined) return [];
  const found: string[] = [];
  for (const { sha256: name } of rows.all<{ sha256: string }>('SELECT sha256 FROM parts')) {
    const { bytes } = rows.one<{ bytes: Uint8Array }>(
      'SELECT bytes FROM parts WHERE sha256 = ?',
      name,
    )!;
    try {
      if (sha256(vault.open('parts', name, 'bytes', bytes)) === name) continue;
      found.push(`part ${name.slice(0, 12)} does not hash to its name`);
    } catch (error) {
      found.push((error as Error).message);
    }
  }
  return found;
}

/**
 * Whether a store must be looked through before it is used.
 *
 * @param bytes size of its file
 * @param state from {@link checkState}
 * @param now ms since 1970
 * @example isCheckDue(1e9, { at: 0, closed: true }, 6 * 86_400_000) // false
 * @example isCheckDue(1e9, { at: 0, closed: false }, 1) // true
 * @example isCheckDue(1e6, { at: 0, closed: true }, 1) // true
 */
export function isCheckDue(bytes: number, state: CheckState | undefined, now: number): boolean {
  if (bytes <= ALWAYS_BYTES || state === undefined || !state.closed) return true;
  // a clock that went back says nothing: then it is due
  return now < state.at || now - state.at > WEEK_MS;
}

/** What the store remembers of its last check. */
export function checkState(db: DatabaseSync): CheckState | undefined {
  const row = rowsOf(db).one<{ value: string }>('SELECT value FROM meta WHERE name = ?', META);
  return row && (JSON.parse(row.value) as CheckState);
}

/** Remembers it. */
export function setCheckState(db: DatabaseSync, state: CheckState): void {
  rowsOf(db).run(
    'INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)',
    ...[META, JSON.stringify(state)],
  );
}
