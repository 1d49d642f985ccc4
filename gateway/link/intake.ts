/**
 * Which samples of one device's session have arrived, are durable, or were dropped: the bookkeeping
 * behind "acknowledged means stored, and stored once".
 *
 * Books belong to the session and are changed in place: to copy them for every window would be most of
 * what a busy link costs.
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
  /** what {@link acknowledged} said last: it only ever grows */
  acked: number;
}

/** How far beyond the acknowledged seq a sample may be: bounds the memory a device can claim. */
const SPAN = 256;

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
    acked: 0,
  };
  absorb(books);
  return books;
}

/**
 * The seq that may be acknowledged: everything up to it is durable or lost.
 *
 * @example acknowledged({ session: 1, floor: 9, ahead: new Set(), pending: new Set([7, 9]), again: new Set(), acked: 0 }) // 6
 */
export function acknowledged(books: Intake): number {
  let lowest = books.floor + 1;
  for (const seq of books.pending) if (seq < lowest) lowest = seq;
  for (const seq of books.again) if (seq < lowest) lowest = seq;
  books.acked = lowest - 1;
  return books.acked;
}

function absorb(books: Intake): void {
  while (books.ahead.delete(books.floor + 1)) books.floor++;
}

/**
 * A sample has arrived.
 *
 * @returns whether it is new: false for one that was seen before or is too far ahead to be taken yet
 */
export function arrive(books: Intake, seq: number): boolean {
  const known = !books.again.has(seq) && (seq <= books.floor || books.ahead.has(seq));
  if (known || seq < 1) return false;
  if (seq > books.acked + SPAN && seq > acknowledged(books) + SPAN) return false;
  books.pending.add(seq);
  if (books.again.size > 0 && books.again.delete(seq)) return true;
  if (seq === books.floor + 1) books.floor = seq;
  else books.ahead.add(seq);
  if (books.ahead.size > 0) absorb(books);
  return true;
}

/** Samples were stored for good (`kept`), or could not be stored and are wanted again. */
export function settle(books: Intake, seqs: readonly number[], kept: boolean): void {
  for (const seq of seqs) if (books.pending.delete(seq) && !kept) books.again.add(seq);
}

/**
 * The device holds nothing below `low` any more.
 *
 * @returns the ranges of seqs, ends included, that never arrived
 */
export function pass(books: Intake, low: number): [number, number][] {
  const lost: [number, number][] = [];
  for (const seq of [...books.again].sort((a, b) => a - b)) {
    if (seq < low) {
      books.again.delete(seq);
      lost.push([seq, seq]);
    }
  }
  let from = books.floor + 1;
  for (const seq of [...books.ahead].sort((a, b) => a - b)) {
    if (seq >= low) break;
    if (seq > from) lost.push([from, seq - 1]);
    from = seq + 1;
    books.ahead.delete(seq);
  }
  if (low > from) lost.push([from, low - 1]);
  books.floor = Math.max(books.floor, low - 1);
  absorb(books);
  return lost;
}
