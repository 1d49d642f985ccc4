import { GatewayError } from '../errors.ts';
import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';
import type { Assignment, Device, SampleFilter } from './types.ts';

/** What a hello says about a device. */
export type DeviceHello = Omit<Device, 'cohort' | 'firstSeen' | 'lastSeen'> & { at: number };

/** Devices and the history of what ran on them. */
export interface Devices {
  /** Notes a hello; a changed release ends one assignment and begins the next. */
  hello(hello: DeviceHello): { first: boolean; restarted: boolean };
  /** Notes what a device runs now, from a status. */
  runs(id: string, release: number, version: string | null, state: number, at: number): void;
  /**
   * Puts a device into a cohort, or into none.
   *
   * @throws GatewayError 'not-found' if the device never said hello
   */
  setCohort(id: string, cohort: string | null): void;
  get(id: string): Device | undefined;
  list(filter?: Pick<SampleFilter, 'task'> & { cohort?: string }): Device[];
  /** What ran on a device and when, oldest first. */
  history(id: string): Assignment[];
}

/** @param rows the database @param commit where writes are grouped */
export function devicesOf(rows: Rows, commit: GroupCommit): Devices {
  const get = (id: string): Device | undefined => {
    const row = rows.one<Device>('SELECT * FROM devices WHERE id = ?', id);
    return row && { ...row };
  };

  function assign(device: string, release: number, version: string | null, at: number): void {
    const last = rows.one<{ id: number; release: number }>(
      'SELECT id, release FROM assignments WHERE device = ? AND toAt IS NULL',
      device,
    );
    if (last?.release === release) return;
    if (last !== undefined) rows.run('UPDATE assignments SET toAt = ? WHERE id = ?', at, last.id);
    rows.run(
      'INSERT INTO assignments (device, release, version, fromAt) VALUES (?, ?, ?, ?)',
      ...[device, release, version, at],
    );
  }

  return {
    hello: (hello) =>
      commit.now(() => {
        const { id, board, task, tier, session, release, version, state, at } = hello;
        const before = get(id);
        rows.run(
          `INSERT INTO devices (id, board, task, tier, firstSeen, lastSeen, session, release,
           version, state) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9)
           ON CONFLICT (id) DO UPDATE SET board = ?2, task = ?3, tier = ?4, lastSeen = ?5,
           session = ?6, release = ?7, version = ?8, state = ?9`,
          ...[id, board, task, tier, at, session, release, version, state],
        );
        rows.run('INSERT OR IGNORE INTO sessions (device, session) VALUES (?, ?)', id, session);
        assign(id, release, version, at);
        return {
          first: before === undefined,
          restarted: before !== undefined && before.session !== session,
        };
      }),
    runs: (id, release, version, state, at) =>
      commit.now(() => {
        rows.run(
          'UPDATE devices SET release = ?, version = ?, state = ?, lastSeen = ? WHERE id = ?',
          ...[release, version, state, at, id],
        );
        assign(id, release, version, at);
      }),
    setCohort: (id, cohort) =>
      commit.now(() => {
        if (rows.run('UPDATE devices SET cohort = ? WHERE id = ?', cohort, id) === 0) {
          throw new GatewayError('not-found', `no device ${id}`, {
            hint: 'see: whetstone devices',
          });
        }
      }),
    get,
    list({ task, cohort } = {}) {
      return rows
        .all<Device>(
          `SELECT * FROM devices WHERE (?1 IS NULL OR task = ?1) AND (?2 IS NULL OR cohort = ?2)
           ORDER BY id`,
          ...[task ?? null, cohort ?? null],
        )
        .map((row) => ({ ...row }));
    },
    history: (id) =>
      rows
        .all<Assignment>(
          `SELECT device, release, version, fromAt AS "from", toAt AS "to" FROM assignments
           WHERE device = ? ORDER BY id`,
          id,
        )
        .map((row) => ({ ...row })),
  };
}
