import { describe, expect, test } from 'vitest';
import { OFFER, pack } from '../../device/core/messages.ts';
import { slotStart } from '../../device/core/slot.ts';
import { BOARD, bootVirtual, faultsBundle } from '../../gateway/bench/faults/power/world.ts';
import { tinyModel } from '../../gateway/bench/faults/tiny-model.ts';
import { none } from '../../gateway/link/suites/none.ts';
import { type FlashImage, VirtualFlash } from '../../gateway/link/virtual/flash.ts';
import { VirtualStorage } from '../../gateway/link/virtual/storage.ts';

const { start, pageBytes } = BOARD.flash;
const LOG = start + pageBytes;
const SLOT_A = LOG + 2 * pageBytes;

/** Bytes as flash takes them: whole words. */
function words(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4).fill(255);
  whole.set(bytes);
  return whole;
}

/** Flash with a confirmed model in slot A whose offer is sealed rightly, and says what it should not. */
function flashOf(part: number, length: number | undefined): FlashImage {
  const { offer, parts } = tinyModel(1, 1);
  if (length !== undefined) offer[2][part]![1] = length;
  const flash = new VirtualFlash(BOARD.flash);
  const bytes = (3 + 2 * BOARD.slotPages) * pageBytes - 32;
  new VirtualStorage(flash).write('ws.slot', 'ws', 0, bytes);
  flash.write(
    LOG,
    none.seal(Uint8Array.from({ length: 60 }, (_, i) => (i % 3 === 0 && i < 6 ? 1 : 0))),
  );
  const b = pack(OFFER, offer);
  flash.write(SLOT_A, words(slotStart({ seal: none.seal } as never, { b, f: offer })));
  let at = SLOT_A + Math.ceil((b.length + 8) / 4) * 4;
  for (const piece of parts) {
    flash.write(at, words(piece));
    at += words(piece).length;
  }
  return flash.image();
}

describe('readSlot()', () => {
  test.each([
    ['are right', 1, 0, undefined],
    ['are beyond all flash', 0, 0, 2 ** 31],
    ['are beyond the slot, the last', 0, 2, 2 ** 20],
    ['are no sizes', 0, 1, 2 ** 53 - 1],
  ])(
    'leaves a device that lives on when sizes in a slot %s',
    async (_how, release, part, length) => {
      const { code } = await faultsBundle();
      const world = await bootVirtual({ code }, flashOf(part, length));
      expect(world.hellos.at(-1)).toMatchObject({ release });
      await world.update(tinyModel(2, 1));
      expect(await world.runs([tinyModel(2, 1)])).toBeDefined();
      await world.end();
    },
  );
});
