import type { DatabaseSync } from 'node:sqlite';
import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';

/** Where a sweep through the oldest samples is. */
export interface Cursor {
  at: number;
  id: number;
}

/** What one step of a sweep did. */
export interface Swept {
  removed: number;
  /** where the next step goes on; null at the end */
  next: Cursor | null;
}

/** Samples that one step looks at: its time is bounded, whatever is stored. */
const STEP_ROWS = 250;
/** What was noted of as many old moments goes with them. */
const OLD_NOTES = `DELETE FROM trail WHERE (device, at) IN (SELECT t.device, t.at FROM devices d
  CROSS JOIN trail t ON t.device = d.id AND t.at <= ? LIMIT ${STEP_ROWS})`;
/** Pages that one step gives back to the disk: 1 MB. */
const STEP_PAGES = 256;

/**
 * Looks at the next oldest samples and removes those that nobody needs: without any label (withdrawn
 * ones too: a snapshot may name them), and acknowledged or of an earlier session of their device, so
 * that they cannot come again. What is labelled stays, and with it must-pass windows, the memory that
 * training rehearses, and what a version was trained on.
 *
 * @param before gateway's clock, ms: samples as old or older are looked at
 * @param from where the step before ended; the beginning without it
 */
export function sweep(
  rows: Rows,
  commit: GroupCommit,
  before: number,
  from: Cursor = { at: -1, id: -1 },
): Swept {
  return commit.now(() => {
    const oldest = rows.all<Cursor & { isNeeded: number }>(
      `SELECT s.at, s.id,
         EXISTS (SELECT 1 FROM labels l WHERE l.sample = s.id)
         OR (s.seq > coalesce(n.acked, 0) AND s.session = d.session) AS isNeeded
       FROM samples s
       LEFT JOIN sessions n ON n.device = s.device AND n.session = s.session
       LEFT JOIN devices d ON d.id = s.device
       WHERE (s.at, s.id) > (?, ?) AND s.at <= ? ORDER BY s.at, s.id LIMIT ${STEP_ROWS}`,
      ...[from.at, from.id, before],
    );
    let removed = 0;
    for (const { id, isNeeded } of oldest) {
      if (isNeeded === 0) removed += rows.run('DELETE FROM samples WHERE id = ?', id);
    }
    rows.run(OLD_NOTES, before);
    const last = oldest.at(-1);
    const next = last && oldest.length === STEP_ROWS ? { at: last.at, id: last.id } : null;
    return { removed, next };
  });
}

/** Gives freed pages back to the disk, at most 1 MB of them. */
export function giveBack(db: DatabaseSync): void {
  db.exec(`PRAGMA incremental_vacuum(${STEP_PAGES})`);
}
