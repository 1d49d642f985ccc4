import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';
import type { Progress } from './types.ts';

/** How far a session of a device is stored, while a transaction is under way. */
export interface SessionBooks extends Progress {
  readonly device: string;
  readonly session: number;
  /** windows that were added to it in this transaction */
  added: number;
  /** to be set by who changes something: it is written at the end of the transaction */
  isChanged: boolean;
}

/**
 * How far sessions are stored: written once in a transaction, however many windows it holds, and read
 * once while groups of windows follow one another: this process alone writes the store.
 */
export interface Sessions {
  /** Outside of a transaction what is changed is lost. */
  of(device: string, session: number): SessionBooks;
}

/** Sessions that are remembered at most, beyond those of one transaction. */
const MOST_KEPT = 4096;

/** @param rows the database @param commit where writes are grouped */
export function sessionsOf(rows: Rows, commit: GroupCommit): Sessions {
  const known = new Map<string, Map<number, SessionBooks>>();
  let kept = 0;
  let used = new Set<SessionBooks>();
  let within = false;
  let isGroup = false;

  function read(device: string, session: number): SessionBooks {
    const found = rows.one<Progress>(
      'SELECT acked, highest, duplicates, dropped FROM sessions WHERE device = ? AND session = ?',
      device,
      session,
    );
    const progress = found ?? { acked: 0, highest: 0, duplicates: 0, dropped: 0 };
    return { ...progress, device, session, added: 0, isChanged: false };
  }

  function write(books: SessionBooks): void {
    const { device, session, acked, highest, duplicates, dropped, added } = books;
    rows.run(
      `INSERT INTO sessions (device, session, acked, highest, duplicates, dropped, stored)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (device, session) DO UPDATE
       SET acked = ?3, highest = ?4, duplicates = ?5, dropped = ?6, stored = stored + ?7`,
      ...[device, session, acked, highest, duplicates, dropped, added],
    );
    books.added = 0;
    books.isChanged = false;
  }

  function forget(): void {
    known.clear();
    kept = 0;
  }

  function drop(): void {
    forget();
    used = new Set();
    within = false;
  }

  commit.collect({
    begin(isOfGroup) {
      within = true;
      isGroup = isOfGroup;
    },
    end() {
      for (const books of used) if (books.isChanged) write(books);
      used = new Set();
      within = false;
      // what is written by itself may be about sessions: a device is erased
      if (!isGroup || kept > MOST_KEPT) forget();
    },
    drop,
  });

  return {
    of(device, session) {
      if (!within) return read(device, session);
      let sessions = known.get(device);
      if (sessions === undefined) {
        sessions = new Map();
        known.set(device, sessions);
      }
      let books = sessions.get(session);
      if (books === undefined) {
        books = read(device, session);
        sessions.set(session, books);
        kept++;
      }
      used.add(books);
      return books;
    },
  };
}
