import { accessSync, constants, mkdirSync } from 'node:fs';
import { GatewayError } from '../errors.ts';
import { unwritable } from '../named-file.ts';
import { type Asked, askedOf } from './asked.ts';
import { isRestoring } from './backup-format.ts';
import { type Catalogue, catalogueOf } from './catalogue.ts';
import { groupCommit } from './commit.ts';
import { bytesOf, canShrink, noteClosed, type OpenDatabase, openDatabase } from './database.ts';
import { type Devices, devicesOf } from './devices.ts';
import { type Erased, type EraseRequest, erase } from './erase.ts';
import type { EventKind } from './event-kinds.ts';
import { storeFailure, takesNothing } from './failure.ts';
import { type History, historyOf } from './history.ts';
import { damageOf } from './integrity.ts';
import { type Journal, journalOf } from './journal.ts';
import { type Keys, keysOf } from './keys.ts';
import { type Labels, labelsOf, settleAll } from './labels.ts';
import { lockDirectory } from './lock.ts';
import type { StoreOptions } from './options.ts';
import { type Refusals, refusalsOf } from './refusals.ts';
import { finishRestore } from './restore.ts';
import { type Cursor, giveBack, type Swept, sweep } from './retain.ts';
import { rowsOf } from './rows.ts';
import { type Samples, samplesOf } from './samples.ts';
import { type Signers, signersOf } from './signers.ts';
import { type States, statesOf } from './states.ts';
import { type Tokens, tokensOf } from './tokens.ts';
import type { Vault } from './vault.ts';

export type { StoreOptions } from './options.ts';

/** Everything that the gateway keeps, in one SQLite file. */
export interface Store {
  readonly directory: string;
  /** random, drawn when the store was made: makes ids unique beyond this gateway */
  readonly gateway: string;
  readonly samples: Samples;
  readonly labels: Labels;
  readonly asked: Asked;
  readonly devices: Devices;
  readonly catalogue: Catalogue;
  readonly history: History;
  readonly journal: Journal;
  readonly signers: Signers;
  readonly states: States;
  readonly keys: Keys;
  readonly refusals: Refusals;
  readonly tokens: Tokens;
  /** Seals columns where the store has a key; else hands bytes through. */
  readonly vault: Vault;
  /** Runs several writes as one: all of them are kept, or none. */
  transaction<T>(run: () => T): T;
  /** Reads several things as of one moment, beside a gateway that writes. */
  look<T>(run: () => T): T;
  /** Commits everything that waits, now. */
  flush(): void;
  /** Writes that wait for their commit: slow down when this grows. */
  readonly waiting: number;
  /** Since when the disk takes nothing, ms since 1970; undefined while it does. */
  readonly fullSince: number | undefined;
  /** Erases data for good and names the versions trained on it. */
  erase(request: EraseRequest): Erased;
  /** Removes the next of the old samples that nobody needs: a step of bounded time. */
  sweep(before: number, from?: Cursor): Swept;
  /** Whether freed space can be given back to the disk. */
  readonly canShrink: boolean;
  /** Gives some of the freed space back to the disk: a step of bounded time. */
  giveBack(): void;
  /** The newest moment that anything here was noted at; 0 in an empty store. */
  latestAt(): number;
  /** Looks the whole store through. @returns what is wrong with it; nothing where all is well */
  damage(): string[];
  /** Bytes of the file, and those of them that hold something. */
  size(): { file: number; used: number };
  /** Tells of every transaction that was tried: how long it took, ms, and its writes. @returns what ends it */
  onCommit(listener: (tookMs: number, operations: number) => void): () => void;
  /** What links repeated and devices dropped, over all sessions. */
  losses(): { duplicates: number; dropped: number };
  /** How much there is of everything. */
  counts(): Record<'samples' | 'labelled' | 'quarantined' | 'devices' | Tally, number>;
  /** Commits what waits, closes the file and gives the directory free. */
  close(): void;
}

type Tally = 'models' | 'events' | 'duplicates' | 'dropped';

/**
 * Opens the store of a gateway, making or migrating it as needed.
 *
 * @throws GatewayError 'in-use' if another process has the directory; 'store-key' if its key is
 *   missing or another; 'damaged' if its file is; 'disk-read-only'; 'store' if it cannot be used
 */
export function openStore(options: StoreOptions): Store {
  const { directory, readOnly = false, now = Date.now } = options;
  const inMemory = directory === ':memory:';
  let unlock = () => {};
  if (!inMemory && !readOnly) {
    makeDirectory(directory);
    unlock = lockDirectory(directory);
  }
  if (readOnly && isRestoring(directory)) {
    throw new GatewayError('store', `a backup is being restored to ${directory}`, {
      hint: 'it is finished at the next start: whetstone start',
    });
  }
  let opened: OpenDatabase;
  try {
    if (!inMemory && !readOnly) finishRestore(directory);
    opened = openDatabase(options);
  } catch (cause) {
    unlock();
    throw storeFailure(cause, directory, !readOnly);
  }
  const { db, vault } = opened;

  let full: { since: number; refused: number; kind: EventKind } | undefined;
  let isDamaged = false;
  const timers = new Set<(tookMs: number, operations: number) => void>();
  const rows = rowsOf(db);
  const commit = groupCommit(db, {
    maxOperations: options.maxGroup ?? 4096,
    schedule: options.schedule ?? ((callback) => void setImmediate(callback)),
    failure(cause) {
      const error = storeFailure(cause, directory, !readOnly);
      if (error instanceof GatewayError && error.code === 'damaged' && !isDamaged) {
        isDamaged = true;
        options.onDamage?.(error);
      }
      return error;
    },
    onGroup(size, failed, tookMs) {
      for (const listener of timers) listener(tookMs, size);
      if (takesNothing(failed)) {
        const kind = failed.code === 'disk-full' ? 'store.full' : 'store.readonly';
        const { since, refused } = full ?? { since: now(), refused: 0 };
        full = { since, refused: refused + size, kind };
      } else if (failed === undefined && full !== undefined) {
        const { kind, ...before } = full;
        full = undefined;
        try {
          journal.write(kind, '', before, now());
        } catch (error) {
          // Room for the group but not for this line: still full, and counted as such above.
          if (!(error instanceof GatewayError)) throw error;
          full = { ...before, kind };
        }
      }
    },
  });
  const gateway = rows.one<{ value: string }>("SELECT value FROM meta WHERE name = 'gateway'")
    ?.value as string;
  const journal = journalOf(rows, commit, gateway);
  try {
    if (!readOnly) settleAll(rows, commit);
  } catch (error) {
    db.close();
    unlock();
    throw error;
  }
  const count = (sql: string) => rows.one<{ n: number }>(`SELECT ${sql} AS n`)?.n ?? 0;
  const losses = () => ({
    duplicates: count('(SELECT coalesce(sum(duplicates), 0) FROM sessions)'),
    // devices say how many: what they say need not fit an integer when it is added up
    dropped: count('(SELECT total(dropped) FROM sessions)'),
  });

  return {
    directory,
    gateway,
    samples: samplesOf(rows, commit, vault),
    labels: labelsOf(rows, commit),
    asked: askedOf(rows, commit),
    devices: devicesOf(rows, commit),
    catalogue: catalogueOf(rows, commit, vault),
    history: historyOf(rows, commit),
    journal,
    signers: signersOf(rows, commit),
    keys: keysOf(rows, commit, now, vault),
    refusals: refusalsOf(rows, commit),
    tokens: tokensOf(rows, commit),
    states: statesOf(rows, commit, vault),
    vault,
    transaction: (run) => commit.now(run),
    look(run) {
      if (db.isTransaction) return run();
      db.exec('BEGIN');
      try {
        return run();
      } finally {
        db.exec('COMMIT');
      }
    },
    flush: () => commit.flush(),
    get waiting() {
      return commit.waiting;
    },
    get fullSince() {
      return full?.since;
    },
    erase(request) {
      commit.flush();
      const erased = commit.now(() => {
        const done = erase(rows, commit, request);
        journal.write('store.erased', request.device, { ...done }, now());
        return done;
      });
      if (!inMemory) db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      return erased;
    },
    sweep: (before, from) => sweep(rows, commit, before, from),
    canShrink: canShrink(db),
    giveBack: () => giveBack(db),
    latestAt: () =>
      count(`(SELECT max(coalesce((SELECT max(at) FROM samples), 0),
        coalesce((SELECT at FROM events ORDER BY id DESC LIMIT 1), 0)))`),
    damage: () => damageOf(db, vault),
    size: () => bytesOf(db),
    onCommit(listener) {
      timers.add(listener);
      return () => void timers.delete(listener);
    },
    losses,
    counts: () => ({
      samples: count('(SELECT count(*) FROM samples)'),
      labelled: count('(SELECT count(*) FROM verdicts)'),
      quarantined: count(
        '(SELECT count(*) FROM samples WHERE quarantine IS NOT NULL AND releasedAt IS NULL)',
      ),
      devices: count('(SELECT count(*) FROM devices)'),
      models: count('(SELECT count(*) FROM models)'),
      events: count('(SELECT count(*) FROM events)'),
      ...losses(),
    }),
    close() {
      if (!db.isOpen) return;
      commit.flush();
      try {
        if (!readOnly) noteClosed(db);
      } catch {
        // a disk that takes nothing: the next start looks the store through
      }
      db.close();
      unlock();
    },
  };
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isFile = code === 'EEXIST' || code === 'ENOTDIR';
    const reason = isFile ? new Error('a file is in its place') : cause;
    throw unwritable(directory, reason, {
      ...{ what: 'data directory', code: 'store' },
      hint: 'choose one that this user may write: --data-dir DIR',
    });
  }
  try {
    accessSync(directory, constants.W_OK);
  } catch (cause) {
    const isReadOnly = (cause as NodeJS.ErrnoException).code === 'EROFS';
    throw new GatewayError(
      isReadOnly ? 'disk-read-only' : 'store',
      `data directory ${directory} ${isReadOnly ? 'is on a read-only disk' : 'cannot be written'}`,
      {
        cause,
        hint: isReadOnly ? 'make the disk writable' : 'choose one that this user may write',
      },
    );
  }
}
