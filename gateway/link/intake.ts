/**
 * Which samples of one device's session have arrived, are durable, or were dropped: the bookkeeping
 * behind "acknowledged means stored, and stored once".
 */
export interface Intake {
  /** 0 while no session is known */
  session: number;
  /** every seq up to here has arrived or is lost */
  floor: number;
  /** arrived beyond the floor */
  ahead: Set<number>;
  /** arrived, not yet durable */
  pending: Set<number>;
  /** arrived, but could not be stored: wanted again */
  again: Set<number>;
}

/** How far beyond the acknowledged seq a sample may be: bounds the memory a device can claim. */
export const SPAN = 256;

/** What a gateway that has just started still knows of a session. */
export interface Known {
  /** every seq up to here is stored, or was reported lost; 0 for a new session */
  ackSeq: number;
  /** seqs above it that are stored, or were reported lost */
  beyond: Iterable<number>;
}

/**
 * Books of a session.
 *
 * @param session of the device, 0 for none yet
 * @param known from the store
 */
export function startIntake(session: number, known: Known = { ackSeq: 0, beyond: [] }): Intake {
  const books: Intake = {
    session,
    floor: known.ackSeq,
    ahead: new Set([...known.beyond].filter((seq) => seq > known.ackSeq)),
    pending: new Set(),
    again: new Set(),
  };
  absorb(books);
  return books;
}

/**
 * The seq that may be acknowledged: everything up to it is durable or lost.
 *
 * @example acknowledged({ session: 1, floor: 9, ahead: new Set(), pending: new Set([7, 9]), again: new Set() }) // 6
 */
export function acknowledged(books: Intake): number {
  let lowest = books.floor + 1;
  for (const seq of books.pending) if (seq < lowest) lowest = seq;
  for (const seq of books.again) if (seq < lowest) lowest = seq;
  return lowest - 1;
}

function copy(books: Intake): Intake {
  const { session, floor, ahead, pending, again } = books;
  return {
    session,
    floor,
    ahead: new Set(ahead),
    pending: new Set(pending),
    again: new Set(again),
  };
}

function absorb(books: Intake): void {
  while (books.ahead.delete(books.floor + 1)) books.floor++;
}

/**
 * A sample has arrived.
 *
 * @returns the books after it, and whether it is new: false for one that was seen before or is
 *   too far ahead to be taken yet
 */
export function arrive(books: Intake, seq: number): { books: Intake; fresh: boolean } {
  const known = !books.again.has(seq) && (seq <= books.floor || books.ahead.has(seq));
  if (known || seq < 1 || seq > acknowledged(books) + SPAN) return { books, fresh: false };
  const after = copy(books);
  after.pending.add(seq);
  if (!after.again.delete(seq)) after.ahead.add(seq);
  absorb(after);
  return { books: after, fresh: true };
}

/** Samples were stored for good (`kept`), or could not be stored and are wanted again. */
export function settle(books: Intake, seqs: readonly number[], kept: boolean): Intake {
  const after = copy(books);
  for (const seq of seqs) if (after.pending.delete(seq) && !kept) after.again.add(seq);
  return after;
}

/**
 * The device holds nothing below `low` any more.
 *
 * @returns the books after it, and the ranges of seqs, ends included, that never arrived
 */
export function pass(books: Intake, low: number): { books: Intake; lost: [number, number][] } {
  const after = copy(books);
  const lost: [number, number][] = [];
  for (const seq of [...after.again].sort((a, b) => a - b)) {
    if (seq < low) {
      after.again.delete(seq);
      lost.push([seq, seq]);
    }
  }
  let from = after.floor + 1;
  for (const seq of [...after.ahead].sort((a, b) => a - b)) {
    if (seq >= low) break;
    if (seq > from) lost.push([from, seq - 1]);
    from = seq + 1;
    after.ahead.delete(seq);
  }
  if (low > from) lost.push([from, low - 1]);
  after.floor = Math.max(after.floor, low - 1);
  absorb(after);
  return { books: after, lost };
}
