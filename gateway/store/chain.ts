import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/** One entry of the log as its row holds it: `data` is JSON, as it was written. */
export interface LogRow {
  id: number;
  at: number;
  kind: string;
  subject: string;
  data: string;
  /** SHA-256, 32 bytes; see {@link entryHash} */
  hash: Uint8Array;
}

/**
 * What the first entry's hash is made with, so that the log of one gateway is none of another.
 *
 * @param gateway the store's name of itself
 * @returns 32 bytes
 */
export function beginning(gateway: string): Uint8Array {
  return digest([Buffer.from(`whetstone log of ${gateway}`)]);
}

/**
 * The hash of an entry: SHA-256 over the hash before and the UTF-8 of `JSON.stringify([id, at, kind,
 * subject, data])`, all of its columns in their order. Whoever has the store can compute it again in
 * any language.
 *
 * @param before hash of the entry before, or {@link beginning}
 * @returns 32 bytes
 * @source Schneier and Kelsey 1999, Secure audit logs to support computer forensics
 * @example Buffer.from(entryHash(new Uint8Array(32), { id: 1, at: 5, kind: 'k', subject: '', data: '{}' })).toString('hex').slice(0, 8) // '8e1cfe2a'
 */
export function entryHash(before: Uint8Array, entry: Omit<LogRow, 'hash'>): Uint8Array {
  const { id, at, kind, subject, data } = entry;
  return digest([before, Buffer.from(JSON.stringify([id, at, kind, subject, data]))]);
}

function digest(pieces: Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return new Uint8Array(hash.digest());
}

/**
 * The step of the schema that chains the log: what was written before is taken as it stands. Only
 * this step does it: an entry that loses its hash later never gets another.
 */
export function chainLog(db: DatabaseSync): void {
  db.exec('ALTER TABLE events ADD COLUMN hash BLOB; DROP TRIGGER eventsAreFinal');
  const named = db.prepare("SELECT value FROM meta WHERE name = 'gateway'").get();
  if (named !== undefined) {
    let hash = beginning(named.value as string);
    const write = db.prepare('UPDATE events SET hash = ? WHERE id = ?');
    const page = db.prepare(
      'SELECT id, at, kind, subject, data FROM events WHERE id > ? ORDER BY id LIMIT 1000',
    );
    for (let after = 0, rows = page.all(0); rows.length > 0; rows = page.all(after)) {
      for (const row of rows as unknown as Omit<LogRow, 'hash'>[]) {
        hash = entryHash(hash, row);
        write.run(hash, row.id);
        after = row.id;
      }
    }
  }
  db.exec(`
    CREATE TRIGGER eventsAreFinal BEFORE UPDATE ON events
      BEGIN SELECT raise(ABORT, 'events are append-only'); END;
    CREATE TABLE heads (
      event INTEGER PRIMARY KEY, hash BLOB NOT NULL, at INTEGER NOT NULL, signer TEXT NOT NULL,
      signature BLOB NOT NULL) STRICT;
    CREATE TABLE signers (
      id TEXT PRIMARY KEY, publicKey BLOB NOT NULL, at INTEGER NOT NULL, signedBy TEXT NOT NULL,
      signature BLOB NOT NULL, revokedAt INTEGER, reason TEXT, revokedBy TEXT,
      revocation BLOB) STRICT;
    ALTER TABLE models ADD COLUMN signer TEXT;
    ALTER TABLE releases ADD COLUMN signer TEXT;
    ALTER TABLE releases ADD COLUMN expires INTEGER;
  `);
}
