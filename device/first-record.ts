import { crc32 } from 'node:zlib';
import { flat } from './core/flat.ts';
import { plainSuite } from './core/frame.ts';

/** A record counts boots in three bytes: as many again are left to the device. */
export const MOST_SEQUENCE = 2 ** 23;

/** A device's keys, and from where its epochs rise. */
export interface DeviceKeys {
  /** 1 to 65,535; higher for each pair of keys that a device gets */
  generation: number;
  /** 16 bytes each: of what the device sends, and of what it is sent */
  up: Uint8Array;
  down: Uint8Array;
  /** 1 to {@link MOST_SEQUENCE}, above every epoch that the gateway has known of this device; it boots into the next */
  sequence: number;
}

/**
 * The first record of a device's log, as flashing writes it at the first byte of a new slot file: it
 * has keys and no model. See device/core/slot.ts.
 *
 * @returns 64 bytes
 * @throws RangeError if something of the keys is out of its range
 */
export function firstRecord({ generation, up, down, sequence }: DeviceKeys): Uint8Array {
  if (up.length !== 16 || down.length !== 16) throw new RangeError('a key has 16 bytes');
  if (!(generation >= 1 && generation <= 65_535)) throw new RangeError('no such generation');
  if (!(sequence >= 1 && sequence <= MOST_SEQUENCE)) throw new RangeError('no such sequence');
  const state = [sequence, sequence / 256, sequence / 65_536, 0, 2, 0];
  return plainSuite(crc32).seal(
    flat([state, generation, generation / 256, up, down, new Uint8Array(20)]),
  );
}
