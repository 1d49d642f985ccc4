import { beginning, entryHash, type LogRow } from './chain.ts';
import type { GroupCommit } from './commit.ts';
import type { EventKind } from './event-kinds.ts';
import type { Rows } from './rows.ts';

/** Something that happened, as recorded; it is never changed. */
export interface StoredEvent {
  id: number;
  at: number;
  kind: EventKind;
  /** whom it is about: a device, a version, a rollout, or '' */
  subject: string;
  data: Record<string, unknown>;
}

/** Which events are meant. */
export interface EventFilter {
  kind?: EventKind;
  subject?: string;
  since?: number;
  afterId?: number;
  order?: 'oldest' | 'newest';
  limit?: number;
}

/** The log up to an entry, signed: nothing before it can be changed, or cut off behind it, unseen. */
export interface HeadRow {
  /** the entry */
  event: number;
  /** its hash, 32 bytes */
  hash: Uint8Array;
  /** when it was signed, ms since 1970 */
  at: number;
  /** id of the key */
  signer: string;
  signature: Uint8Array;
}

/** The append-only log of what happened; each entry is chained to the one before. */
export interface Journal {
  /** Writes an event at once (or in the transaction that is open). */
  write(kind: EventKind, subject: string, data: Record<string, unknown>, at: number): void;
  /**
   * Tells of every event from now on as it is written; one whose transaction fails is told as well.
   *
   * @returns a function that ends it
   */
  watch(listener: (event: Omit<StoredEvent, 'id'>) => void): () => void;
  /** Events that match, oldest first unless the filter says otherwise. */
  find(filter?: EventFilter): StoredEvent[];
  /** Rows after an entry, in order, as they stand: at most `limit`. */
  rows(afterId: number, limit: number): LogRow[];
  /** The newest entry, or entry 0 with the hash that the log begins with. */
  head(): { event: number; hash: Uint8Array };
  /** How many entries were ever written, those included that are not there. */
  written(): number;
  /** Signed heads, oldest first. */
  heads(): HeadRow[];
  /**
   * Keeps a signed head. Of those before it only some stay, enough to tell where a log that was made
   * anew begins to differ.
   */
  addHead(head: HeadRow): void;
}

/** Entries between two signed heads that are kept. */
const KEPT_EVERY = 256;

/** @param rows the database @param commit where writes are grouped @param gateway the store's name */
export function journalOf(rows: Rows, commit: GroupCommit, gateway: string): Journal {
  const listeners = new Set<(event: Omit<StoredEvent, 'id'>) => void>();
  const first = { event: 0, hash: beginning(gateway) };
  const none = new Uint8Array(0);

  function head(): { event: number; hash: Uint8Array } {
    const row = rows.one<{ event: number; hash: Uint8Array | null }>(
      'SELECT id AS event, hash FROM events ORDER BY id DESC LIMIT 1',
    );
    return row === undefined ? first : { event: row.event, hash: row.hash ?? none };
  }

  function written(): number {
    const row = rows.one<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'events'");
    return row?.seq ?? 0;
  }

  return {
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    write: (kind, about, data, at) =>
      commit.now(() => {
        // what SQLite gives back is what was hashed: it has no half of a surrogate pair
        const subject = about.toWellFormed();
        // counted on behind what was cut off: the gap stays
        const entry = { id: written() + 1, at, kind, subject, data: JSON.stringify(data) };
        rows.run(
          'INSERT INTO events (id, at, kind, subject, data, hash) VALUES (?, ?, ?, ?, ?, ?)',
          ...[entry.id, at, kind, subject, entry.data, entryHash(head().hash, entry)],
        );
        for (const listener of listeners) listener({ at, kind, subject, data });
      }),
    find(filter = {}) {
      const { kind, subject, since, afterId } = filter;
      // only what restricts is said: a condition that may be none keeps SQLite from its indexes
      const given: [string, string | number | undefined][] = [
        ['kind = ?', kind],
        ['subject = ?', subject],
        ['at >= ?', since],
        ['id > ?', afterId],
      ];
      const asked = given.filter(([, value]) => value !== undefined);
      const where = asked.length === 0 ? '' : `WHERE ${asked.map(([sql]) => sql).join(' AND ')}`;
      return rows
        .all<Omit<StoredEvent, 'data'> & { data: string }>(
          `SELECT id, at, kind, subject, data FROM events ${where}
           ORDER BY id ${filter.order === 'newest' ? 'DESC' : 'ASC'} LIMIT ?`,
          ...[...asked.map(([, value]) => value as string | number), filter.limit ?? -1],
        )
        .map((row) => ({ ...row, data: JSON.parse(row.data) }));
    },
    rows: (afterId, limit) =>
      rows.all<LogRow>(
        `SELECT id, at, kind, subject, data, coalesce(hash, x'') AS hash FROM events
         WHERE id > ? ORDER BY id LIMIT ?`,
        ...[afterId, limit],
      ),
    head,
    written,
    heads: () => rows.all<HeadRow>('SELECT * FROM heads ORDER BY event'),
    addHead: (row) =>
      commit.now(() => {
        const [newest, before] = rows.all<{ event: number }>(
          'SELECT event FROM heads ORDER BY event DESC LIMIT 2',
        );
        if (newest !== undefined && row.event - (before?.event ?? 0) < KEPT_EVERY) {
          rows.run('DELETE FROM heads WHERE event = ?', newest.event);
        }
        rows.run(
          `INSERT OR REPLACE INTO heads (event, hash, at, signer, signature)
           VALUES (?, ?, ?, ?, ?)`,
          ...[row.event, row.hash, row.at, row.signer, row.signature],
        );
      }),
  };
}
