import { DatabaseSync } from 'node:sqlite';
import type { StoredEvent } from './journal.ts';

/** Entries by which somebody, or something, is believed no more. */
const TAKES_BACK = ['signer.revoked', 'key.removed', 'token.revoked'] as const;

/** A decision by which trust was taken back. */
export type TakenBack = Pick<StoredEvent, 'id' | 'at' | 'kind' | 'subject'>;

/**
 * What trust a log took back behind an entry. Of an encrypted store no key is needed: events are readable.
 *
 * @param path of the store's file; it is not changed
 * @param head an entry of the log, by number and hash
 * @returns oldest first; none where the entry is not in that log, for it is another one; undefined where
 *   the file cannot be read
 */
export function takenBack(
  path: string,
  head: { event: number; hash: Uint8Array },
): TakenBack[] | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true });
    const row = db.prepare('SELECT hash FROM events WHERE id = ?').get(head.event);
    const hash = row?.hash as Uint8Array | undefined;
    if (hash === undefined || Buffer.compare(hash, head.hash) !== 0) return [];
    const places = TAKES_BACK.map(() => '?').join(', ');
    return db
      .prepare(
        `SELECT id, at, kind, subject FROM events WHERE id > ? AND kind IN (${places}) ORDER BY id`,
      )
      .all(head.event, ...TAKES_BACK) as unknown as TakenBack[];
  } catch {
    return undefined; // damaged: that is what backups are for
  } finally {
    db?.close();
  }
}
