import { createHash } from 'node:crypto';
import { encode } from 'cbor-x';
import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';
import type { LabelledSample } from './types.ts';
import type { Vault } from './vault.ts';

/** A model version as it is stored; the registry gives the columns their meaning. */
export interface ModelRow {
  version: string;
  manifest: Uint8Array;
  signature: Uint8Array;
  /** id of the key that signed it; null: the first one of the gateway */
  signer: string | null;
  task: string;
  scopeKind: string;
  scopeId: string;
  parent: string | null;
  snapshot: string;
  stage: string;
  /** JSON */
  report: string;
  at: number;
}

/** One change of stage. */
export interface StageRow {
  version: string;
  stage: string;
  at: number;
  who: string;
  why: string;
}

/** A release: a number, given once, under which a version travels. */
export interface ReleaseRow {
  release: number;
  version: string;
  signature: Uint8Array;
  /** id of the key that signed it; null: the first one of the gateway */
  signer: string | null;
  at: number;
  /** until when it is offered, ms since 1970; null where that was not said yet */
  expires: number | null;
  why: string;
}

/** Parts, models, stages, releases and the data they were trained on, as rows. */
export interface Catalogue {
  /** Stores bytes under their SHA-256. @returns the hash, lower-case hex */
  addPart(bytes: Uint8Array): string;
  part(sha256: string): Uint8Array | undefined;
  addModel(row: ModelRow): void;
  /** Another signature in the place of a version's present one. */
  signModel(row: Pick<ModelRow, 'version' | 'signature' | 'signer'>): void;
  model(version: string): ModelRow | undefined;
  models(filter: {
    task?: string;
    stage?: string;
    scopeKind?: string;
    scopeId?: string;
  }): ModelRow[];
  setStage(row: StageRow): void;
  stages(version: string): StageRow[];
  nextRelease(): number;
  /** Leaves release numbers out: those that were given after the backup which this store came from. */
  skipReleases(count: number): void;
  /** Gives no number again up to this one: a device has it of another gateway, and takes newer ones alone. */
  passRelease(release: number): void;
  /** Keeps the statement of a release, in the place of an earlier one. */
  addRelease(row: ReleaseRow): void;
  release(release: number): ReleaseRow | undefined;
  releasesOf(version: string): ReleaseRow[];
  releases(): ReleaseRow[];
  /**
   * Remembers which samples a training saw, so that what was trained on a person's data can be named.
   *
   * @returns SHA-256 over the samples' keys and the labels that counted, whatever their order
   */
  addSnapshot(samples: readonly LabelledSample[], at: number): string;
}

/** The last release number that was left out, in `meta`. */
const SKIPPED = 'releasesSkipped';

/**
 * @param rows the database
 * @param commit where writes are grouped
 * @param vault seals parts: a head says something of the data that it was trained on
 */
export function catalogueOf(rows: Rows, commit: GroupCommit, vault: Vault): Catalogue {
  const modelColumns = `version, manifest, signature, task, scopeKind, scopeId, parent, snapshot,
    stage, report, at, signer`;
  const catalogue: Catalogue = {
    addPart: (bytes) =>
      commit.now(() => {
        const hash = sha256(bytes);
        if (rows.one('SELECT 1 FROM parts WHERE sha256 = ?', hash) !== undefined) return hash;
        const sealed = vault.seal('parts', hash, 'bytes', bytes);
        rows.run('INSERT INTO parts (sha256, bytes) VALUES (?, ?)', hash, sealed);
        return hash;
      }),
    part(hash) {
      const row = rows.one<{ bytes: Uint8Array }>('SELECT bytes FROM parts WHERE sha256 = ?', hash);
      return row && vault.open('parts', hash, 'bytes', row.bytes);
    },
    addModel: (row) =>
      commit.now(() => {
        rows.run(
          `INSERT INTO models (${modelColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          ...[row.version, row.manifest, row.signature, row.task, row.scopeKind, row.scopeId],
          ...[row.parent, row.snapshot, row.stage, row.report, row.at],
          row.signer,
        );
      }),
    signModel: ({ version, signature, signer }) =>
      commit.now(() => {
        rows.run(
          'UPDATE models SET signature = ?, signer = ? WHERE version = ?',
          ...[signature, signer, version],
        );
      }),
    model: (version) => rows.one<ModelRow>('SELECT * FROM models WHERE version = ?', version),
    models: ({ task = null, stage = null, scopeKind = null, scopeId = null }) =>
      rows.all<ModelRow>(
        `SELECT * FROM models WHERE (?1 IS NULL OR task = ?1) AND (?2 IS NULL OR stage = ?2)
         AND (?3 IS NULL OR scopeKind = ?3) AND (?4 IS NULL OR scopeId = ?4) ORDER BY rowid`,
        ...[task, stage, scopeKind, scopeId],
      ),
    setStage: (row) =>
      commit.now(() => {
        rows.run('UPDATE models SET stage = ? WHERE version = ?', row.stage, row.version);
        rows.run(
          'INSERT INTO stages (version, stage, at, who, why) VALUES (?, ?, ?, ?, ?)',
          ...[row.version, row.stage, row.at, row.who, row.why],
        );
      }),
    stages: (version) =>
      rows
        .all<StageRow>(
          'SELECT version, stage, at, who, why FROM stages WHERE version = ? ORDER BY id',
          version,
        )
        .map((row) => ({ ...row })),
    nextRelease() {
      const given = rows.one<{ last: number | null }>('SELECT max(release) AS last FROM releases');
      const skipped = rows.one<{ value: string }>('SELECT value FROM meta WHERE name = ?', SKIPPED);
      return Math.max(given?.last ?? 0, Number(skipped?.value ?? 0)) + 1;
    },
    skipReleases: (count) => catalogue.passRelease(catalogue.nextRelease() - 1 + count),
    passRelease(release) {
      if (release < catalogue.nextRelease()) return;
      const put = 'INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)';
      commit.now(() => rows.run(put, SKIPPED, String(release)));
    },
    addRelease: (row) =>
      commit.now(() => {
        rows.run(
          `INSERT OR REPLACE INTO releases (release, version, signature, signer, at, expires, why)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
          ...[row.release, row.version, row.signature, row.signer, row.at, row.expires, row.why],
        );
      }),
    release: (release) => rows.one<ReleaseRow>('SELECT * FROM releases WHERE release = ?', release),
    releasesOf: (version) =>
      rows.all<ReleaseRow>('SELECT * FROM releases WHERE version = ? ORDER BY release', version),
    releases: () => rows.all<ReleaseRow>('SELECT * FROM releases ORDER BY release'),
    addSnapshot: (samples, at) =>
      commit.now(() => {
        const items = samples
          .map((s) => [s.device, s.session, s.seq, s.label.cls] as const)
          .sort((a, b) => compare(a[0], b[0]) || a[1] - b[1] || a[2] - b[2]);
        const bytes = encode(items);
        const hash = sha256(bytes);
        const known = rows.run(
          'INSERT OR IGNORE INTO snapshots (sha256, items, at) VALUES (?, ?, ?)',
          ...[hash, bytes, at],
        );
        if (known === 1) devicesIn(samples, hash);
        return hash;
      }),
  };
  return catalogue;

  function devicesIn(samples: readonly LabelledSample[], hash: string): void {
    for (const { device, at } of samples) {
      rows.run(
        `INSERT INTO snapshotDevices (sha256, device, samples, firstAt, lastAt)
         VALUES (?1, ?2, 1, ?3, ?3) ON CONFLICT DO UPDATE SET samples = samples + 1,
         firstAt = min(firstAt, ?3), lastAt = max(lastAt, ?3)`,
        ...[hash, device, at],
      );
    }
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** SHA-256 of bytes, lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
