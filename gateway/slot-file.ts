import { crc32 } from 'node:zlib';
import { plainSuite } from '../device/core/frame.ts';
import type { BoardProfile } from './board.ts';
import type { KeyPair } from './store/keys.ts';

/** Bytes of a record of the device's log: see device/core/slot.ts. */
const RECORD_BYTES = 64;
const CRC_BYTES = 4;
const CONFIRMED = 1;
const EMPTY = 0;
const SLOT_A = 0;
const NO_SLOT = 2;

/**
 * The first record of a device's log. The device's first boot writes the next one and speaks under
 * that one's number as its epoch.
 *
 * @param keys what the device gets
 * @param sequence at least 1, not below any epoch that the gateway has heard of this device
 * @param hasModel whether slot A holds one, confirmed
 * @returns 64 bytes
 * @throws RangeError if sequence does not fit its 24 bits
 */
export function firstRecord(
  { generation, up, down }: KeyPair,
  sequence: number,
  hasModel: boolean,
): Uint8Array {
  if (!(sequence >= 1 && sequence < 2 ** 24)) {
    throw new RangeError(`a record's sequence has 24 bits: ${sequence}`);
  }
  const body = new Uint8Array(RECORD_BYTES - CRC_BYTES);
  const view = new DataView(body.buffer);
  view.setUint32(0, sequence, true); // its high byte is the next field, set below
  body[3] = hasModel ? CONFIRMED : EMPTY;
  body[4] = hasModel ? SLOT_A : NO_SLOT;
  view.setUint16(6, generation, true);
  body.set(up, 8);
  body.set(down, 24);
  return plainSuite((bytes) => crc32(bytes)).seal(body);
}

/**
 * A device's slot file as its flash should have it before the first boot, from the file's first whole
 * page on: two pages of log, then, where there is one, the model in slot A.
 *
 * @param board whose pages these are
 * @param record see {@link firstRecord}
 * @param slot bytes of slot A
 */
export function slotFileImage(
  board: BoardProfile,
  record: Uint8Array,
  slot?: Uint8Array,
): Uint8Array {
  const log = 2 * board.flash.pageBytes;
  const image = new Uint8Array(log + (slot?.length ?? 0)).fill(0xff);
  image.set(record);
  if (slot !== undefined) image.set(slot, log);
  return image;
}
