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

/** The append-only log of what happened. */
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
}

/** @param rows the database @param commit where writes are grouped */
export function journalOf(rows: Rows, commit: GroupCommit): Journal {
  const listeners = new Set<(event: Omit<StoredEvent, 'id'>) => void>();
  return {
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    write: (kind, subject, data, at) =>
      commit.now(() => {
        rows.run(
          'INSERT INTO events (at, kind, subject, data) VALUES (?, ?, ?, ?)',
          ...[at, kind, subject, JSON.stringify(data)],
        );
        for (const listener of listeners) listener({ at, kind, subject, data });
      }),
    find(filter = {}) {
      const { kind = null, subject = null, since = null, afterId = null } = filter;
      return rows
        .all<Omit<StoredEvent, 'data'> & { data: string }>(
          `SELECT id, at, kind, subject, data FROM events WHERE (?1 IS NULL OR kind = ?1)
           AND (?2 IS NULL OR subject = ?2) AND (?3 IS NULL OR at >= ?3)
           AND (?4 IS NULL OR id > ?4)
           ORDER BY id ${filter.order === 'newest' ? 'DESC' : 'ASC'} LIMIT ?5`,
          ...[kind, subject, since, afterId, filter.limit ?? -1],
        )
        .map((row) => ({ ...row, data: JSON.parse(row.data) }));
    },
  };
}
