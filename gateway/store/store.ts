import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../errors.ts';
import { type Asked, askedOf } from './asked.ts';
import { type Catalogue, catalogueOf } from './catalogue.ts';
import { groupCommit } from './commit.ts';
import { type Devices, devicesOf } from './devices.ts';
import { type Erased, type EraseRequest, erase } from './erase.ts';
import { storeFailure } from './failure.ts';
import { type Journal, journalOf } from './journal.ts';
import { type Labels, labelsOf, settleAll } from './labels.ts';
import { lockDirectory } from './lock.ts';
import { rowsOf } from './rows.ts';
import { type Samples, samplesOf } from './samples.ts';
import { migrate } from './schema.ts';
import { type States, statesOf } from './states.ts';
import { plainVault, type Vault } from './vault.ts';

/** How a store is opened. */
export interface StoreOptions {
  /** where it lives; made if it is missing. ':memory:' keeps nothing and locks nothing */
  directory: string;
  /**
   * what an acknowledged sample survives: 'power' (each group is synced to the disk) or 'process'
   * (a killed process, not a power cut; for replays, which can be run again)
   */
  durability?: 'power' | 'process';
  /** only looks: takes no lock, so it works beside a running gateway; every write fails */
  readOnly?: boolean;
  /** rows in one transaction at most. A sync serves them all, and a loss of power costs no more */
  maxGroup?: number;
  /** calls back soon; by default after the input and output that are ready now */
  schedule?: (callback: () => void) => void;
  /** ms since 1970 */
  now?: () => number;
}

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
  readonly journal: Journal;
  readonly states: States;
  /** Seals columns where the store has a key; else hands bytes through. */
  readonly vault: Vault;
  /** Runs several writes as one: all of them are kept, or none. */
  transaction<T>(run: () => T): T;
  /** Commits everything that waits, now. */
  flush(): void;
  /** Writes that wait for their commit: slow down when this grows. */
  readonly waiting: number;
  /** Since when the disk is full, ms since 1970; undefined while there is room. */
  readonly fullSince: number | undefined;
  /** Erases data for good and names the versions trained on it. */
  erase(request: EraseRequest): Erased;
  /** How much there is of everything. */
  counts(): Record<'samples' | 'labelled' | 'quarantined' | 'devices' | Tally, number>;
  /** Commits what waits, closes the file and gives the directory free. */
  close(): void;
}

type Tally = 'models' | 'events' | 'duplicates' | 'dropped';

/**
 * Opens the store of a gateway, making or migrating it as needed.
 *
 * @throws GatewayError 'in-use' if another process has the directory; 'store' if it cannot be used
 */
export function openStore(options: StoreOptions): Store {
  const { directory, readOnly = false, now = Date.now } = options;
  const inMemory = directory === ':memory:';
  let unlock = () => {};
  if (!inMemory && !readOnly) {
    makeDirectory(directory);
    unlock = lockDirectory(directory);
  }
  let db: DatabaseSync;
  try {
    db = open(inMemory ? directory : join(directory, 'store.db'), options);
  } catch (cause) {
    unlock();
    throw storeFailure(cause, directory);
  }

  let full: { since: number; refused: number } | undefined;
  const rows = rowsOf(db);
  const commit = groupCommit(db, {
    maxOperations: options.maxGroup ?? 512,
    schedule: options.schedule ?? ((callback) => void setImmediate(callback)),
    failure: (cause) => storeFailure(cause, directory),
    onGroup(size, failed) {
      if (failed instanceof GatewayError && failed.code === 'disk-full') {
        full = { since: full?.since ?? now(), refused: (full?.refused ?? 0) + size };
      } else if (failed === undefined && full !== undefined) {
        const { since, refused } = full;
        full = undefined;
        try {
          journal.write('store.full', '', { since, refused }, now());
        } catch (error) {
          // Room for the group but not for this line: still full, and counted as such above.
          if (!(error instanceof GatewayError)) throw error;
          full = { since, refused };
        }
      }
    },
  });
  const journal = journalOf(rows, commit);
  if (!readOnly) settleAll(rows, commit);
  const count = (sql: string) => rows.one<{ n: number }>(`SELECT ${sql} AS n`)?.n ?? 0;

  return {
    directory,
    gateway: rows.one<{ value: string }>("SELECT value FROM meta WHERE name = 'gateway'")
      ?.value as string,
    samples: samplesOf(rows, commit),
    labels: labelsOf(rows, commit),
    asked: askedOf(rows, commit),
    devices: devicesOf(rows, commit),
    catalogue: catalogueOf(rows, commit),
    journal,
    states: statesOf(rows, commit),
    vault: plainVault,
    transaction: (run) => commit.now(run),
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
    counts: () => ({
      samples: count('(SELECT count(*) FROM samples)'),
      labelled: count('(SELECT count(*) FROM verdicts)'),
      quarantined: count(
        '(SELECT count(*) FROM samples WHERE quarantine IS NOT NULL AND releasedAt IS NULL)',
      ),
      devices: count('(SELECT count(*) FROM devices)'),
      models: count('(SELECT count(*) FROM models)'),
      events: count('(SELECT count(*) FROM events)'),
      duplicates: count('(SELECT coalesce(sum(duplicates), 0) FROM sessions)'),
      // devices say how many: what they say need not fit an integer when it is added up
      dropped: count('(SELECT total(dropped) FROM sessions)'),
    }),
    close() {
      if (!db.isOpen) return;
      commit.flush();
      db.close();
      unlock();
    },
  };
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (cause) {
    throw new GatewayError('store', `cannot make data directory ${directory}`, {
      cause,
      hint: 'choose one that this user may write',
    });
  }
}

function open(
  path: string,
  { readOnly = false, durability = 'power' }: StoreOptions,
): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly, timeout: 2000 });
  try {
    if (!readOnly) {
      db.exec(`PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON;
        PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'}`);
      migrate(db);
      db.prepare("INSERT OR IGNORE INTO meta (name, value) VALUES ('gateway', ?)").run(
        randomUUID(),
      );
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
