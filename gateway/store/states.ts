import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';
import { openText, sealText, type Vault } from './vault.ts';

/** A rollout as it is stored: its whole state, as JSON. */
export interface RolloutRow {
  id: string;
  /** when it began */
  at: number;
  active: boolean;
  state: string;
}

/** State that machines carry over a restart. */
export interface States {
  /** Stores a rollout's state at once: called before anything is done about it. */
  saveRollout(row: RolloutRow): void;
  rollouts(filter?: { active?: boolean }): RolloutRow[];
  /** Stores any other state by name, as it is now, with the next group of writes. */
  save(name: string, value: unknown): Promise<void>;
  /** Stores it at once (or in the transaction that is open). */
  saveNow(name: string, value: unknown): void;
  /** Forgets it at once (or in the transaction that is open). */
  removeNow(name: string): void;
  load<T>(name: string): T | undefined;
  /** All whose names begin so. @returns by the rest of the name */
  loadAll<T>(prefix: string): Record<string, T>;
}

/**
 * @param rows the database
 * @param commit where writes are grouped
 * @param vault seals states, which hold what the monitor saw; those of rollouts hold no data
 */
export function statesOf(rows: Rows, commit: GroupCommit, vault: Vault): States {
  function write(name: string, json: string): void {
    rows.run(
      'INSERT INTO states (name, json) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET json = ?2',
      ...[name, sealText(vault, 'states', name, 'json', json)],
    );
  }
  return {
    saveRollout: ({ id, at, active, state }) =>
      commit.now(() => {
        rows.run(
          `INSERT INTO rollouts (id, at, active, state) VALUES (?1, ?2, ?3, ?4)
           ON CONFLICT (id) DO UPDATE SET active = ?3, state = ?4`,
          ...[id, at, active ? 1 : 0, state],
        );
      }),
    rollouts: ({ active } = {}) =>
      rows
        .all<Omit<RolloutRow, 'active'> & { active: number }>(
          'SELECT * FROM rollouts WHERE ?1 IS NULL OR active = ?1 ORDER BY rowid',
          active === undefined ? null : Number(active),
        )
        .map((row) => ({ ...row, active: row.active === 1 })),
    save(name, value) {
      const json = JSON.stringify(value);
      return commit.enqueue(() => write(name, json));
    },
    saveNow: (name, value) => commit.now(() => write(name, JSON.stringify(value))),
    removeNow: (name) => commit.now(() => void rows.run('DELETE FROM states WHERE name = ?', name)),
    load<T>(name: string): T | undefined {
      const row = rows.one<{ json: string }>('SELECT json FROM states WHERE name = ?', name);
      return row && (JSON.parse(openText(vault, 'states', name, 'json', row.json)) as T);
    },
    loadAll<T>(prefix: string): Record<string, T> {
      const found = rows.all<{ name: string; json: string }>(
        'SELECT name, json FROM states WHERE substr(name, 1, ?1) = ?2',
        ...[prefix.length, prefix],
      );
      return Object.fromEntries(
        found.map(({ name, json }) => [
          name.slice(prefix.length),
          JSON.parse(openText(vault, 'states', name, 'json', json)) as T,
        ]),
      );
    },
  };
}
