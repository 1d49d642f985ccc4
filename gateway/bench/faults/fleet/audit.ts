import { DatabaseSync } from 'node:sqlite';
import type { Recording } from '../../../recordings.ts';
import { createPredictor, type ModelParts, type Predictor } from '../../../train/model.ts';
import { type CoreDevice, hex } from './core-device.ts';

/** What a release number stands for. */
export interface Released {
  /** hex of the first 8 bytes, as devices say it */
  version: string;
  parts: ModelParts;
}

/** What the store has of all that the devices made; those from `missing` on are to be 0. */
export interface Audit {
  windows: number;
  stored: number;
  /** windows that the devices were told about: stored, or reported dropped by themselves */
  told: number;
  /** windows that a device dropped and said so */
  reported: number;
  /** windows that were in a device's ring, not acknowledged, when its power was cut */
  unpowered: number;
  /** told, and neither stored nor reported by the device */
  missing: number;
  /** rows of the same device, session and seq */
  twice: number;
  /** rows that no device made */
  invented: number;
  /** rows that are not, byte for byte, what the device made */
  different: number;
  /** rows whose class, margin or embedding is not that of the model which their release names */
  foreign: number;
  /** sessions whose windows lost are not as many as the gateway counted */
  miscounted: number;
  /** lines of complaint of PRAGMA integrity_check */
  damage: number;
}

interface Row {
  seq: number;
  t: number;
  release: number;
  cls: number;
  score: number;
  length: number;
  embedding: Uint8Array | null;
  window: Uint8Array | null;
}

interface Session {
  acked: number;
  dropped: number;
}

/** Counts from nothing. */
const nothing = (): Audit => ({
  ...{ windows: 0, stored: 0, told: 0, reported: 0, unpowered: 0 },
  ...{ missing: 0, twice: 0, invented: 0, different: 0, foreign: 0, miscounted: 0 },
  damage: 0,
});

/**
 * Compares a store with what the devices remember, window by window and byte by byte.
 *
 * @param path of the store's file; nothing else may be writing to it
 * @param devices whose lives are compared
 * @param pool the windows that they were given
 * @param axes values in a sample
 * @param released what each release number stands for
 */
export function audit(
  path: string,
  devices: readonly CoreDevice[],
  pool: readonly Recording[],
  axes: number,
  released: ReadonlyMap<number, Released>,
): Audit {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = db.prepare(
      `SELECT seq, t, release, cls, score, length, embedding, window FROM samples
       WHERE device = ? AND session = ? ORDER BY seq`,
    );
    const sessions = db.prepare(
      'SELECT acked, dropped FROM sessions WHERE device = ? AND session = ?',
    );
    const all = db.prepare(
      'SELECT session, count(*) AS n FROM samples WHERE device = ? GROUP BY session',
    );
    const said = sayings(pool, released);
    const out = { ...nothing(), damage: complaints(db).length };
    for (const device of devices) {
      const own = new Set(device.lives.map(({ session }) => session));
      for (const { session, n } of all.all(device.id) as { session: number; n: number }[]) {
        if (!own.has(session)) out.invented += n;
      }
      for (const [i, life] of device.lives.entries()) {
        const found = rows.all(device.id, life.session) as unknown as Row[];
        const have = new Set(found.map(({ seq }) => seq));
        out.windows += life.made.length;
        out.stored += have.size;
        out.told += life.told;
        out.twice += found.length - have.size;
        for (const row of found) compare(row, out);
        const of = sessions.get(device.id, life.session) as unknown as Session | undefined;
        const { acked = 0, dropped = 0 } = of ?? {};
        let lost = 0;
        const isLast = i === device.lives.length - 1;
        for (let seq = 1; seq <= life.made.length; seq++) {
          if (have.has(seq)) continue;
          if (seq <= acked) lost++;
          if (life.excused.has(seq)) out.reported++;
          else if (seq <= life.told || isLast) out.missing++;
          else out.unpowered++;
        }
        // the device counts what it did not know to be stored as well: it cannot have dropped less
        if (lost !== dropped || lost > life.dropped) out.miscounted++;

        function compare(row: Row, into: Audit): void {
          const made = life.made[row.seq - 1];
          if (made === undefined) {
            into.invented++;
            return;
          }
          const { window, length } = pool[made.window]!;
          const raw = Buffer.from(window.buffer, window.byteOffset, length * axes);
          const same =
            row.t === made.t &&
            row.length === length &&
            (row.window === null || raw.equals(row.window));
          if (!same) into.different++;
          const { cls, score, embedding } = said(row.release, made.window);
          const fits =
            cls === row.cls &&
            score === row.score &&
            (row.embedding === null || embedding.equals(row.embedding));
          if (!fits) into.foreign++;
        }
      }
    }
    return out;
  } finally {
    db.close();
  }
}

/** What SQLite finds wrong with a store's file; nothing if it is whole. */
export function complaints(db: DatabaseSync): string[] {
  const found = db.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[];
  return found.map((row) => row.integrity_check).filter((line) => line !== 'ok');
}

interface Said {
  cls: number;
  score: number;
  embedding: Buffer;
}

/** What a release says of a window of the pool, by the device's own kernel; computed once. */
function sayings(
  pool: readonly Recording[],
  released: ReadonlyMap<number, Released>,
): (release: number, window: number) => Said {
  const predictors = new Map<string, Predictor>();
  const known = new Map<string, Said>();
  const none: Said = { cls: -1, score: -1, embedding: Buffer.alloc(0) };
  return (release, index) => {
    const model = released.get(release);
    if (model === undefined) return none; // never released: fits nothing
    const { version, parts } = model;
    const key = `${version} ${index}`;
    let said = known.get(key);
    if (said === undefined) {
      const predict = predictors.get(version) ?? createPredictor(parts);
      predictors.set(version, predict);
      const { window, length } = pool[index]!;
      const { cls, score, embedding } = predict(window, length);
      said = { cls, score, embedding: Buffer.from(Int8Array.from(embedding).buffer) };
      known.set(key, said);
    }
    return said;
  };
}

/** What of the models on the devices is not as it was released; both are to be 0. */
export interface ModelAudit {
  /** releases that were said to run and were not released to that device, or as another version */
  unreleased: number;
  /** models that lie whole in a slot with other bytes than were released under that number */
  mixed: number;
}

/**
 * Compares what the devices said they run, and what lies in their flash, with what was released.
 *
 * @param mayRun release numbers that the gateway offered to a device
 */
export function auditModels(
  devices: readonly CoreDevice[],
  released: ReadonlyMap<number, Released>,
  mayRun: (device: string) => ReadonlySet<number>,
): ModelAudit {
  const out = { unreleased: 0, mixed: 0 };
  for (const device of devices) {
    const allowed = mayRun(device.id);
    for (const { release, version, state } of device.ran.values()) {
      if (state === 0) continue; // empty
      const known = released.get(release);
      if (known?.version !== hex(version) || !allowed.has(release)) out.unreleased++;
    }
    for (const { release, version, parts } of device.slots()) {
      const known = released.get(release);
      const bytes = known && [known.parts.pre, known.parts.backbone, known.parts.head];
      const same =
        known?.version === version &&
        parts.every((part, i) => Buffer.from(part).equals(bytes![i]!));
      if (!same) out.mixed++;
    }
  }
  return out;
}
