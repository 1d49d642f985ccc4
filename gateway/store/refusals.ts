import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';

/** How often something of a device was refused, by it or by the gateway. */
export interface Refusals {
  /** @param what a status of the device such as 'refused-size', or 'impostor' */
  note(device: string, what: string, at: number): void;
  of(device: string): Record<string, number>;
  /** Of all devices together. */
  all(): Record<string, number>;
}

/** @param rows the database @param commit where writes are grouped */
export function refusalsOf(rows: Rows, commit: GroupCommit): Refusals {
  const named = (found: { what: string; count: number }[]): Record<string, number> =>
    Object.fromEntries(found.map(({ what, count }) => [what, count]));
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
      named(rows.all('SELECT what, count FROM refusals WHERE device = ? ORDER BY what', device)),
    all: () =>
      named(rows.all('SELECT what, sum(count) AS count FROM refusals GROUP BY what ORDER BY what')),
  };
}
