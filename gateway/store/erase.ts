import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';

/** Whose data is erased: everything of a device, or what it sent while one person wore it. */
export interface EraseRequest {
  device: string;
  /** gateway's clock, ms, inclusive */
  since?: number;
  /** gateway's clock, ms, exclusive */
  until?: number;
}

/** What was erased, and what still knows something of it. */
export interface Erased {
  samples: number;
  labels: number;
  /** versions trained on the erased data */
  trained: string[];
  /** versions that began from one of those */
  descended: string[];
}

/**
 * Deletes samples and their labels for good (SQLite overwrites them) and names the versions that
 * were trained on them; deciding about those versions is left to a person.
 *
 * The lists of samples behind those versions go too. Events stay: they hold no data of a window.
 *
 * @param rows the database
 * @param commit where writes are grouped
 * @param request whose data
 */
export function erase(rows: Rows, commit: GroupCommit, request: EraseRequest): Erased {
  const { device, since, until } = request;
  const range = [device, since ?? 0, until ?? Number.MAX_SAFE_INTEGER];
  const meant = 'device = ? AND at >= ? AND at < ?';
  return commit.now(() => {
    const hashes = rows
      .all<{ sha256: string }>(
        'SELECT sha256 FROM snapshotDevices WHERE device = ? AND lastAt >= ? AND firstAt < ?',
        ...range,
      )
      .map((row) => row.sha256);
    const trained = hashes.flatMap((hash) =>
      rows
        .all<{ version: string }>('SELECT version FROM models WHERE snapshot = ?', hash)
        .map((row) => row.version),
    );
    const labels =
      rows.one<{ n: number }>(
        `SELECT count(*) AS n FROM labels WHERE sample IN (SELECT id FROM samples WHERE ${meant})`,
        ...range,
      )?.n ?? 0;
    const samples = rows.run(`DELETE FROM samples WHERE ${meant}`, ...range);
    for (const hash of hashes) {
      rows.run('UPDATE snapshots SET items = NULL WHERE sha256 = ?', hash);
    }
    rows.run(`DELETE FROM trail WHERE ${meant}`, ...range);
    if (since === undefined && until === undefined) forget(rows, device);
    return { samples, labels, trained, descended: descendants(rows, trained) };
  });
}

function forget(rows: Rows, device: string): void {
  for (const table of ['sessions', 'assignments', 'refusals']) {
    rows.run(`DELETE FROM ${table} WHERE device = ?`, device);
  }
  rows.run('DELETE FROM devices WHERE id = ?', device);
  for (const what of ['monitor', 'wear']) {
    rows.run('DELETE FROM states WHERE name = ?', `${what}:${device}`);
  }
}

function descendants(rows: Rows, versions: readonly string[]): string[] {
  return rows
    .all<{ version: string }>(
      `WITH RECURSIVE line (version) AS (
         SELECT value FROM json_each(?1)
         UNION SELECT m.version FROM models m JOIN line ON m.parent = line.version)
       SELECT version FROM line WHERE version NOT IN (SELECT value FROM json_each(?1))`,
      JSON.stringify(versions),
    )
    .map((row) => row.version);
}
