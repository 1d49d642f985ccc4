import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';

/** How often something of a device was refused, by it or by the gateway. */
export interface Refusals {
  /** @param what a status of the device such as 'refused-size', or 'impostor' */
  note(device: string, what: string, at: number): void;
  of(device: string): Record<string, number>;
}

/** @param rows the database @param commit where writes are grouped */
export function refusalsOf(rows: Rows, commit: GroupCommit): Refusals {
  return {
    note(device, what, at) {
      commit.now(() =>
        rows.run(
          `INSERT INTO refusals (device, what, count, at) VALUES (?1, ?2, 1, ?3)
           ON CONFLICT (device, what) DO UPDATE SET count = count + 1, at = ?3`,
          ...[device, what, at],
        ),
      );
    },
    of: (device) =>
      Object.fromEntries(
        rows
          .all<{ what: string; count: number }>(
            'SELECT what, count FROM refusals WHERE device = ? ORDER BY what',
            device,
          )
          .map(({ what, count }) => [what, count]),
      ),
  };
}
