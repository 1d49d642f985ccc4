import type { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../errors.ts';
import { chainLog } from './chain.ts';

/** SQL, or what SQL cannot say. */
export type Migration = string | ((db: DatabaseSync) => void);

/**
 * The schema as a list of steps: step n takes a store from version n to n + 1. A step that was
 * released is never changed; what comes later is a step of its own.
 */
export const migrations: readonly Migration[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  CREATE TABLE devices (
    id TEXT PRIMARY KEY, board TEXT NOT NULL, task TEXT NOT NULL, tier TEXT NOT NULL, cohort TEXT,
    firstSeen INTEGER NOT NULL, lastSeen INTEGER NOT NULL, session INTEGER NOT NULL,
    release INTEGER NOT NULL, version TEXT, state INTEGER NOT NULL) STRICT;
  CREATE TABLE sessions (
    device TEXT NOT NULL, session INTEGER NOT NULL, acked INTEGER NOT NULL DEFAULT 0,
    highest INTEGER NOT NULL DEFAULT 0, duplicates INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (device, session)) STRICT, WITHOUT ROWID;
  CREATE TABLE assignments (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, release INTEGER NOT NULL, version TEXT,
    fromAt INTEGER NOT NULL, toAt INTEGER) STRICT;
  CREATE INDEX assignmentsOfDevice ON assignments (device, fromAt);

  CREATE TABLE samples (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, session INTEGER NOT NULL, seq INTEGER NOT NULL,
    task TEXT NOT NULL, at INTEGER NOT NULL, t INTEGER NOT NULL, release INTEGER NOT NULL,
    version TEXT, cls INTEGER NOT NULL, score INTEGER NOT NULL, length INTEGER NOT NULL,
    embedding BLOB, window BLOB, quarantine TEXT, releasedAt INTEGER,
    UNIQUE (device, session, seq)) STRICT;
  CREATE INDEX samplesOfDevice ON samples (device, at);
  CREATE INDEX samplesByTime ON samples (at);
  CREATE INDEX samplesSetAside ON samples (id) WHERE quarantine IS NOT NULL;
  CREATE TABLE labels (
    id TEXT PRIMARY KEY, sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
    cls INTEGER NOT NULL, source TEXT NOT NULL, trust REAL NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE INDEX labelsOfSample ON labels (sample);
  CREATE UNIQUE INDEX labelsFromDevice ON labels (sample, cls) WHERE source = 'device';

  CREATE TABLE parts (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE models (
    version TEXT PRIMARY KEY, manifest BLOB NOT NULL, signature BLOB NOT NULL, task TEXT NOT NULL,
    scopeKind TEXT NOT NULL, scopeId TEXT NOT NULL, parent TEXT, snapshot TEXT NOT NULL,
    stage TEXT NOT NULL, report TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE UNIQUE INDEX oneChampion ON models (task, scopeKind, scopeId) WHERE stage = 'champion';
  CREATE TABLE stages (
    id INTEGER PRIMARY KEY, version TEXT NOT NULL, stage TEXT NOT NULL, at INTEGER NOT NULL,
    who TEXT NOT NULL, why TEXT NOT NULL) STRICT;
  CREATE TABLE releases (
    release INTEGER PRIMARY KEY, version TEXT NOT NULL, signature BLOB NOT NULL,
    at INTEGER NOT NULL, why TEXT NOT NULL) STRICT;
  CREATE TABLE snapshots (sha256 TEXT PRIMARY KEY, items BLOB, at INTEGER NOT NULL) STRICT;
  CREATE TABLE snapshotDevices (
    sha256 TEXT NOT NULL, device TEXT NOT NULL, samples INTEGER NOT NULL,
    firstAt INTEGER NOT NULL, lastAt INTEGER NOT NULL,
    PRIMARY KEY (sha256, device)) STRICT, WITHOUT ROWID;

  CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,
    subject TEXT NOT NULL, data TEXT NOT NULL) STRICT;
  CREATE TRIGGER eventsStay BEFORE DELETE ON events
    BEGIN SELECT raise(ABORT, 'events are append-only'); END;
  CREATE TRIGGER eventsAreFinal BEFORE UPDATE ON events
    BEGIN SELECT raise(ABORT, 'events are append-only'); END;

  CREATE TABLE rollouts (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, active INTEGER NOT NULL, state TEXT NOT NULL) STRICT;
  CREATE TABLE states (name TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
  `,
  // labels: taken back, resolved where they are written, asked for; `settleAll` fills `verdicts`
  `
  ALTER TABLE labels ADD COLUMN withdrawnAt INTEGER;
  CREATE TABLE verdicts (
    sample INTEGER PRIMARY KEY REFERENCES samples (id) ON DELETE CASCADE, cls INTEGER NOT NULL,
    source TEXT NOT NULL, trust REAL NOT NULL, at INTEGER NOT NULL, firstAt INTEGER NOT NULL,
    contradicted INTEGER NOT NULL) STRICT;
  CREATE INDEX verdictsContradicted ON verdicts (sample) WHERE contradicted = 1;
  CREATE TABLE asked (
    sample INTEGER PRIMARY KEY REFERENCES samples (id) ON DELETE CASCADE, at INTEGER NOT NULL,
    who TEXT NOT NULL, goneAt INTEGER) STRICT;
  `,
  // keys of the link (columns keys and pending are sealed where the store is), and what was refused
  `
  CREATE TABLE linkKeys (
    device TEXT PRIMARY KEY, board TEXT NOT NULL, suite TEXT NOT NULL, generation INTEGER NOT NULL,
    keys BLOB, pending BLOB, epoch INTEGER NOT NULL, provenEpoch INTEGER NOT NULL,
    deviceEpoch INTEGER NOT NULL, port TEXT NOT NULL, addedAt INTEGER NOT NULL,
    rotatedAt INTEGER NOT NULL, removedAt INTEGER) STRICT;
  CREATE TABLE refusals (
    device TEXT NOT NULL, what TEXT NOT NULL, count INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (device, what)) STRICT, WITHOUT ROWID;
  `,
  // the log of events is chained; who signed what, with which key, until when
  chainLog,
  // who may ask the API, and who is signed in: of what they show only the hash is kept
  `
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash BLOB NOT NULL,
    addedAt INTEGER NOT NULL, expiresAt INTEGER, revokedAt INTEGER, usedAt INTEGER) STRICT;
  CREATE TABLE signIns (
    id TEXT PRIMARY KEY, token TEXT NOT NULL REFERENCES tokens (id), hash BLOB NOT NULL,
    at INTEGER NOT NULL, expiresAt INTEGER NOT NULL) STRICT;
  `,
  // history is summed up from indexes that hold all it asks for, windows are counted as they come
  `
  CREATE TABLE trail (
    device TEXT NOT NULL, at INTEGER NOT NULL, estimated REAL, drift REAL,
    PRIMARY KEY (device, at)) STRICT, WITHOUT ROWID;
  DROP INDEX samplesOfDevice;
  CREATE INDEX samplesOfDevice ON samples (device, at, release, score, quarantine, releasedAt);
  DROP INDEX samplesByTime;
  CREATE INDEX samplesByTime ON samples (at, release, score, quarantine, releasedAt);
  CREATE INDEX eventsByKind ON events (kind, at);
  ALTER TABLE sessions ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;
  UPDATE sessions SET stored = (SELECT count(*) FROM samples s
    WHERE s.device = sessions.device AND s.session = sessions.session);
  CREATE TRIGGER samplesRemoved AFTER DELETE ON samples
    BEGIN UPDATE sessions SET stored = stored - 1
      WHERE device = old.device AND session = old.session; END;
  `,
];

/**
 * Brings a store to the newest schema, in one transaction: it is the old one or the new one, whole.
 *
 * @param db open database
 * @param steps the list of {@link migrations}
 * @param within is done in the same transaction, behind the steps; also where there are none
 * @returns schema version before and after
 * @throws GatewayError 'store' if the store was written by a newer Whetstone
 */
export function migrate(
  db: DatabaseSync,
  steps: readonly Migration[] = migrations,
  within: () => void = () => {},
): { from: number; to: number } {
  const from = schemaVersion(db);
  if (from > steps.length) {
    throw new GatewayError('store', `the store has schema ${from}, newer than ${steps.length}`, {
      hint: 'use the Whetstone that wrote it, or a newer one',
    });
  }
  db.exec('BEGIN EXCLUSIVE');
  try {
    for (const step of steps.slice(from)) {
      if (typeof step === 'string') db.exec(step);
      else step(db);
    }
    if (from < steps.length) db.exec(`PRAGMA user_version = ${steps.length}`);
    within();
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
  return { from, to: steps.length };
}

/** The schema version that a store has; 0 for an empty one. */
export function schemaVersion(db: DatabaseSync): number {
  return (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}
