import { crc32 } from 'node:zlib';
import { plainSuite } from '../device/core/frame.ts';
import { firstRecord } from '../device/first-record.ts';
import type { BoardProfile } from './board.ts';
import type { KeyPair } from './store/keys.ts';

/** Where a record says what runs: see device/core/slot.ts. */
const KIND_AT = 3;
const SLOT_AT = 4;
const CONFIRMED = 1;
const SLOT_A = 0;

/**
 * A device's slot file as its flash should have it before the first boot, from the file's first whole
 * page on: two pages of log, then, where there is one, the model in slot A. The log's first record
 * holds the keys; the device's first boot writes the next one, and speaks under that one's number.
 *
 * @param board whose pages these are
 * @param keys what the device gets
 * @param sequence of the first record: at least 1, and not below any epoch that the gateway has
 *   heard of this device
 * @param slot bytes of slot A, which is confirmed then
 * @throws RangeError if the keys or the sequence are out of their range
 */
export function slotFileImage(
  board: BoardProfile,
  keys: KeyPair,
  sequence: number,
  slot?: Uint8Array,
): Uint8Array {
  const log = 2 * board.flash.pageBytes;
  const image = new Uint8Array(log + (slot?.length ?? 0)).fill(0xff);
  const record = firstRecord({ ...keys, sequence });
  image.set(slot === undefined ? record : withModel(record));
  if (slot !== undefined) image.set(slot, log);
  return image;
}

/** The same record, of a device that has a model. */
function withModel(record: Uint8Array): Uint8Array {
  const suite = plainSuite((bytes) => crc32(bytes));
  const state = suite.open(record)!.slice();
  state[KIND_AT] = CONFIRMED;
  state[SLOT_AT] = SLOT_A;
  return suite.seal(state);
}
