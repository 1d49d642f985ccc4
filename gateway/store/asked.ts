import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';

/** A window whose label was asked for. */
export interface AskedWindow {
  /** the store's id of the sample */
  sample: number;
  at: number;
  /** who asked: 'person', 'gateway' … */
  who: string;
  /** when its device said that it holds the raw window no more; null where it did not */
  goneAt: number | null;
}

/** Which windows labels were asked for, so that nobody is asked twice. */
export interface Asked {
  /** Notes windows as asked for; those that are noted already stay as they are. */
  note(samples: readonly number[], who: string, at: number): void;
  /** A device holds the raw window no more. @returns whether it had been asked for */
  gone(sample: number, at: number): boolean;
  get(sample: number): AskedWindow | undefined;
  /** Numbers of a session's windows that were asked for and have neither come raw nor gone. */
  waiting(device: string, session: number): number[];
}

/** @param rows the database @param commit where writes are grouped */
export function askedOf(rows: Rows, commit: GroupCommit): Asked {
  return {
    note: (samples, who, at) =>
      commit.now(() => {
        for (const sample of samples) {
          rows.run(
            'INSERT OR IGNORE INTO asked (sample, at, who) VALUES (?, ?, ?)',
            sample,
            at,
            who,
          );
        }
      }),
    gone: (sample, at) =>
      commit.now(
        () =>
          rows.run('UPDATE asked SET goneAt = ? WHERE sample = ? AND goneAt IS NULL', at, sample) >
          0,
      ),
    get(sample) {
      const row = rows.one<AskedWindow>('SELECT * FROM asked WHERE sample = ?', sample);
      return row && { ...row };
    },
    waiting: (device, session) =>
      rows
        .all<{ seq: number }>(
          // what was asked for is little, what a device sent is much: in this order
          `SELECT s.seq FROM asked a CROSS JOIN samples s ON s.id = a.sample
           WHERE s.device = ? AND s.session = ? AND s.window IS NULL AND a.goneAt IS NULL
           ORDER BY s.seq`,
          ...[device, session],
        )
        .map(({ seq }) => seq),
  };
}
