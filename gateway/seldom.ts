import { unlessFull } from './full-disk.ts';
import type { Clock } from './link/port.ts';

/** How often a thing happened, by what it was. */
export type Counts = Record<string, number>;

/** Counts what anybody can make happen as often as he likes, and writes it down seldom. */
export interface Seldom {
  /** @param subject whom or what it is about @param what is counted by this name */
  note(subject: string, what: string): void;
  /** Writes down what is counted and not written yet. */
  close(): void;
}

/** Between the first line of a subject and the second; each further one waits twice as long, up to an hour. */
const FIRST_MS = 60_000;
const LONGEST_MS = 3_600_000;
/** Subjects that have lines of their own within an hour; all others have one together. */
export const MOST_SUBJECTS = 8;
export const OTHERS = 'others';

interface Line {
  counts: Counts;
  writtenAt: number;
  waitMs: number;
  timer: unknown;
}

/**
 * @param clock whose minutes count
 * @param write a line: a subject, and how often since its last one
 * @param most subjects with lines of their own
 * @returns what writes the first at once, and what follows as sums: at most 7 lines a subject in the first hour
 *   and one or two in each that follows, whoever makes how many
 */
export function createSeldom(
  clock: Pick<Clock, 'now' | 'setTimeout' | 'clearTimeout'>,
  write: (subject: string, counts: Counts) => void,
  most: number = MOST_SUBJECTS,
): Seldom {
  const lines = new Map<string, Line>();

  function lineOf(subject: string): [string, Line] {
    const now = clock.now();
    for (const [name, { timer, writtenAt }] of lines) {
      if (timer === null && now - writtenAt >= LONGEST_MS) lines.delete(name);
    }
    const own = lines.has(OTHERS) ? lines.size - 1 : lines.size;
    const name = lines.has(subject) || own < most ? subject : OTHERS;
    const line = lines.get(name) ?? { counts: {}, writtenAt: -LONGEST_MS, waitMs: 0, timer: null };
    lines.set(name, line);
    return [name, line];
  }

  function settle(subject: string, line: Line): void {
    const wait = line.writtenAt + line.waitMs - clock.now();
    if (wait > 0) {
      line.timer ??= clock.setTimeout(() => {
        line.timer = null;
        settle(subject, line);
      }, wait);
      return;
    }
    const isWritten = unlessFull(() => {
      write(subject, line.counts);
      return true;
    });
    // what a full disk does not take is counted on
    if (isWritten === true) line.counts = {};
    line.writtenAt = clock.now();
    line.waitMs = Math.min(LONGEST_MS, line.waitMs * 2 || FIRST_MS);
  }

  return {
    note(subject, what) {
      const [name, line] = lineOf(subject);
      line.counts[what] = (line.counts[what] ?? 0) + 1;
      settle(name, line);
    },
    close() {
      for (const [subject, { timer, counts }] of lines) {
        clock.clearTimeout(timer);
        if (Object.keys(counts).length > 0) unlessFull(() => write(subject, counts));
      }
      lines.clear();
    },
  };
}
