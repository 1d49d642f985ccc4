import type { DatabaseSync } from 'node:sqlite';
import { takesNothing } from './failure.ts';

interface Waiting {
  run: () => unknown;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

/** How {@link groupCommit} collects what it writes. */
export interface CommitOptions {
  /** a group is written at once when it has this many operations */
  maxOperations: number;
  /** calls back once, soon: what was queued until then is one group */
  schedule: (callback: () => void) => void;
  /** turns SQLite's error into the gateway's */
  failure: (cause: unknown) => Error;
  /** after each group: undefined, or why the whole group was refused; how long it took, ms */
  onGroup?: (size: number, failed: Error | undefined, tookMs: number) => void;
}

/** Who collects within a transaction what is written once at its end. */
export interface Collector {
  /**
   * A transaction begins.
   *
   * @param isGroup it holds what was queued; else a write of its own kind, which may change anything
   */
  begin(isGroup: boolean): void;
  /** It is about to be committed: the rest is to be written. */
  end(): void;
  /** Nothing of it holds. */
  drop(): void;
}

/** Groups writes into transactions. */
export interface GroupCommit {
  /** Is told of the beginning and the end of every transaction from now on. */
  collect(collector: Collector): void;
  /** Queues a write; resolves with its result after the transaction that holds it is committed. */
  enqueue<T>(run: () => T): Promise<T>;
  /** Writes at once, in a transaction of its own (or in the one that is open). */
  now<T>(run: () => T): T;
  /** Commits everything queued, now. */
  flush(): void;
  /** operations that wait for their commit */
  readonly waiting: number;
}

/**
 * Groups many small writes into few transactions: one sync of the disk serves all of them.
 *
 * A write that fails by itself is refused alone and the others are committed; when the disk takes
 * nothing the whole group is refused, since none of it is durable.
 */
export function groupCommit(db: DatabaseSync, options: CommitOptions): GroupCommit {
  let queue: Waiting[] = [];
  let scheduled = false;
  const collectors: Collector[] = [];

  function attempt(
    group: Waiting[],
    isGroup: boolean,
  ): { results: unknown[] } | { index: number; cause: unknown } {
    let index = -1;
    try {
      db.exec('BEGIN IMMEDIATE');
      for (const collector of collectors) collector.begin(isGroup);
      const results: unknown[] = [];
      for (index = 0; index < group.length; index++) results.push(group[index].run());
      index = -1;
      for (const collector of collectors) collector.end();
      db.exec('COMMIT');
      return { results };
    } catch (cause) {
      if (db.isTransaction) db.exec('ROLLBACK');
      for (const collector of collectors) collector.drop();
      return { index, cause };
    }
  }

  function write(group: Waiting[]): void {
    while (group.length > 0) {
      const begun = performance.now();
      const done = attempt(group, true);
      const tookMs = performance.now() - begun;
      if ('results' in done) {
        options.onGroup?.(group.length, undefined, tookMs);
        group.forEach((waiting, i) => {
          waiting.resolve(done.results[i] as never);
        });
        return;
      }
      const error = options.failure(done.cause);
      if (done.index < 0 || takesNothing(error)) {
        options.onGroup?.(group.length, error, tookMs);
        for (const waiting of group) waiting.reject(error);
        return;
      }
      group.splice(done.index, 1)[0].reject(error);
    }
  }

  function flush(): void {
    scheduled = false;
    while (queue.length > 0) {
      const group = queue.slice(0, options.maxOperations);
      queue = queue.slice(options.maxOperations);
      write(group);
    }
  }

  return {
    collect: (collector) => void collectors.push(collector),
    enqueue<T>(run: () => T): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        queue.push({ run, resolve, reject } as Waiting);
        if (queue.length >= options.maxOperations) flush();
        else if (!scheduled) {
          scheduled = true;
          options.schedule(flush);
        }
      });
    },
    now<T>(run: () => T): T {
      if (db.isTransaction) return run();
      const begun = performance.now();
      const done = attempt([{ run } as Waiting], false);
      const tookMs = performance.now() - begun;
      if ('results' in done) {
        options.onGroup?.(1, undefined, tookMs);
        return done.results[0] as T;
      }
      const error = options.failure(done.cause);
      if (takesNothing(error)) options.onGroup?.(1, error, tookMs);
      throw error;
    },
    flush,
    get waiting() {
      return queue.length;
    },
  };
}
