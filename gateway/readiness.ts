import { statfsSync } from 'node:fs';
import type { Composed } from './compose.ts';

/** Below this a disk is as good as full: a group of windows and the log may not find room. */
const FULL_BYTES = 20e6;

/** Tells whether a gateway can do its work. */
export interface ReadinessWatch {
  /** @returns problems, one line each, for who supervises it: they name no device */
  look(): { ready: boolean; problems: string[] };
  close(): void;
}

/**
 * Watches whether the store takes what comes, there is room, and every port that was named is open.
 *
 * @param gateway composed, before its ports are attached
 * @param freeBytes room on the disk of the data directory
 */
export function watchReadiness(
  { store }: Pick<Composed, 'store'>,
  freeBytes: () => number = () => freeOn(store.directory),
): ReadinessWatch {
  const waiting = new Set<string>();
  const off = store.journal.watch(({ kind, subject }) => {
    if (kind === 'port.waiting') waiting.add(subject);
    if (kind === 'port.opened') waiting.delete(subject);
  });
  return {
    look() {
      const problems: string[] = [];
      if (store.fullSince !== undefined) {
        const since = new Date(store.fullSince).toISOString();
        problems.push(`since ${since} the disk takes nothing: nothing is acknowledged`);
      } else if (freeBytes() < FULL_BYTES) {
        problems.push(`the disk is nearly full: ${(freeBytes() / 1e6).toFixed(0)} MB are left`);
      }
      for (const port of waiting) problems.push(`port ${port} is not open`);
      return { ready: problems.length === 0, problems };
    },
    close: off,
  };
}

function freeOn(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
