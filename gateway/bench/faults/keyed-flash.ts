import { type DeviceKeys, firstRecord } from '../../../device/first-record.ts';
import type { BoardProfile } from '../../board.ts';
import { type FlashImage, VirtualFlash } from '../../link/virtual/flash.ts';
import { VirtualStorage } from '../../link/virtual/storage.ts';

/** Keys for tests and benches: not secret, not equal. */
export const testKeys: DeviceKeys = {
  generation: 1,
  up: Uint8Array.from({ length: 16 }, (_, i) => 7 * i + 1),
  down: Uint8Array.from({ length: 16 }, (_, i) => 211 - 9 * i),
  sequence: 40,
};

/** Flash of a board as flashing leaves it: an empty slot file whose log begins with the keys. */
export function keyedFlash(board: BoardProfile): FlashImage {
  const { start, pageBytes } = board.flash;
  const flash = new VirtualFlash(board.flash);
  new VirtualStorage(flash).write('ws.slot', 'ws', 0, (3 + 2 * board.slotPages) * pageBytes - 32);
  flash.write(start + pageBytes, firstRecord(testKeys));
  return flash.image();
}
