import { createDebts, type Debts } from '../full-disk.ts';
import type { EventKind } from '../store/event-kinds.ts';
import type { Journal } from '../store/journal.ts';
import { createChatter } from './chatter.ts';

/** Writes what happens into the journal: late where the disk is full, and of a noisy device not all. */
export interface JournalWriter extends Debts {
  write(kind: EventKind, subject: string, data: Record<string, unknown>): void;
  /** Writes what a device has caused: of one that says too much not all of it. */
  tell(kind: EventKind, device: string, data: Record<string, unknown>): void;
  /** Whether a device may cause one more entry, which then counts; says how many were left out before. */
  allows(device: string): boolean;
}

/** @param now ms since 1970, never going back: an entry has the time at which it was owed */
export function createJournalWriter(
  journal: Pick<Journal, 'write'>,
  now: () => number,
): JournalWriter {
  const debts = createDebts();
  const chatter = createChatter(now);

  function write(kind: EventKind, subject: string, data: Record<string, unknown>): void {
    const at = now();
    debts.owe(() => journal.write(kind, subject, data, at));
  }

  function allows(device: string): boolean {
    const missed = chatter.allow(device);
    if (missed !== undefined && missed > 0) write('device.noisy', device, { entries: missed });
    return missed !== undefined;
  }

  return {
    ...debts,
    write,
    tell(kind, device, data) {
      if (allows(device)) write(kind, device, data);
    },
    allows,
  };
}
