import type { Refusal } from '../link/guard.ts';
import type { Hello } from '../link/messages.ts';
import { type Suite, strongestOf } from '../suites.ts';

/** Why a device was not heard, with what to do about it. */
export interface TurnedAway {
  /** the name that it gives itself, or its port */
  subject: string;
  reason: string;
}

/** A line of the log for each port and reason, and no more than so many: names cost nothing. */
const MOST_TOLD = 16;

/** Whom to tell of: somebody who knocks again and again is news once. */
export function createTold(): (port: string, away: TurnedAway) => boolean {
  const told = new Map<string, Set<string>>();
  return (port, { subject, reason }) => {
    const known = told.get(port) ?? new Set();
    told.set(port, known);
    const key = `${subject}\n${reason}`;
    if (known.has(key) || known.size >= MOST_TOLD) return false;
    known.add(key);
    return true;
  };
}

/** What to do with a device that has no keys. */
function remedy({ id, board }: Hello): string {
  if (strongestOf(board) === 'none') {
    return `${board} can do no better: keep it on a cable and start with --allow-weak-link`;
  }
  return `give it some and flash it: whetstone keys add ${id} --board ${board} --out FILE; or start with --allow-weak-link`;
}

/**
 * What a refusal of the link means to people.
 *
 * @param port its name
 * @param isRemoved whether the keys of a device were taken away
 */
export function turnedAway(
  refusal: Refusal,
  port: string,
  isRemoved: (device: string) => boolean,
): TurnedAway {
  if (refusal.why === 'unknown-key') {
    const reason =
      'what comes there opens under no key of this gateway: see whetstone keys list; ' +
      'a device that was removed, or belongs to another gateway, needs: whetstone keys add';
    return { subject: port, reason };
  }
  const { hello } = refusal;
  if (hello === undefined) {
    return {
      subject: port,
      reason:
        'what comes there speaks without keys: whetstone keys add DEVICE --board BOARD --out FILE, and flash it; or start with --allow-weak-link',
    };
  }
  const subject = hello.id;
  if (refusal.why === 'impostor') {
    return {
      subject,
      reason: `it has the keys of ${refusal.device}: flash it with keys of its own`,
    };
  }
  if (refusal.why === 'unsealed') return { subject, reason: `it has no keys: ${remedy(hello)}` };
  const reason = isRemoved(subject)
    ? `its keys were removed: whetstone keys add ${subject} --board ${hello.board} --out FILE lets it back in`
    : 'the device of that name has keys, and this one speaks without';
  return { subject, reason };
}

/** What a device is told whose suite is not the one that its board should use. */
export function tooWeak({ board }: Hello, suite: Suite): string {
  const best = strongestOf(board);
  return `its link is only ${suite}, and ${board} can do ${best}: whetstone keys add with --replace, and flash it; or start with --allow-weak-link`;
}
