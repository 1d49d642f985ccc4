import type { STATUSES } from '../../device/core/messages.ts';
import type { ErrorCode } from '../errors.ts';

type Status = (typeof STATUSES)[keyof typeof STATUSES];

/** A device that says this cannot take the version; another one may. */
export const refusals: Partial<Record<Status, string>> = {
  'refused-size': 'it is too large for the device',
  'no-space': 'the device has no room for it',
  'refused-release': 'the device runs a newer release: the next rollout has a higher number',
  'refused-board': 'it is for another board or task',
  'refused-stale': 'its time is over, by the clock of the device',
  'refused-golden': 'its self-test would take too long',
};

/** A device that says this lost the version on the way; it may be asked again. */
export const losses: Partial<Record<Status, string>> = {
  'refused-crc': 'it arrived damaged',
  reverted: 'the device went back by itself',
  'reverted-unconfirmed': 'no confirmation came in time',
};

/** A device that says this has seen that the version itself is bad: no other one is to get it. */
export const failures: Partial<Record<Status, string>> = {
  'selftest-different': 'its self-test gave other numbers',
};

/**
 * Whether a status refuses an update.
 *
 * @example isRefusal('refused-board') // true
 */
export function isRefusal(status: Status): boolean {
  return status in refusals || status in failures || status === 'refused-crc';
}

/** What the gateway itself finds wrong with a version: then nobody is to get it. */
const rotten: readonly ErrorCode[] = ['bad-hash', 'bad-signature', 'bad-key', 'revoked-key'];

/**
 * Whether a refusal by the gateway is about the version, and not about one device or the time.
 *
 * @example isRotten('bad-signature') // true
 */
export function isRotten(code: ErrorCode): boolean {
  return rotten.includes(code);
}
