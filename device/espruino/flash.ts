import type { Host } from '../core/device.ts';
import { align, u16 } from '../core/model.ts';
import { MAPPED } from '../core/options.ts';
import type { EspruinoE, EspruinoRequire } from './globals.ts';

declare const E: EspruinoE;
/** Espruino's `require`; the build renames it, since a bundler would resolve it. */
declare const library: EspruinoRequire;
declare const print: (text: string) => void;

export const storage = library('Storage');
const flash = library('Flash');

/** Flash as a board's profile describes it, and the slot pages in it. */
export interface FlashLayout {
  /** Storage's first address */
  flashStart: number;
  /** bytes of a page */
  page: number;
  slotPages: number;
}

/** The slot file's header in Storage is a number (its length), then its name; one page is it alone. */
const NAME = 'ws.slot';
const HEADER = 32;

/**
 * Finds the slot file, or creates it where Storage is empty: the only time that a file is created.
 *
 * It is Storage's first file, so that its place is known without asking (`E.getAddressOf` knows no
 * place where flash is not mapped), and it ends where a page ends: then compaction, when other
 * files are replaced one day, begins behind it.
 *
 * @returns address of the first page that is all the file's, the log's; 0 after a message on the
 *   console
 * @source espruino/Espruino: src/jsflash.c, _jsfCreateFile and jsfGetStorageStats
 */
export function openSlots(layout: FlashLayout): number {
  const size = (3 + 2 * layout.slotPages) * layout.page - HEADER;
  if (storage.list().length < 1) storage.write(NAME, 'ws', 0, size);
  const h = flash.read(HEADER, layout.flashStart);
  // The name of the header's fifth byte on, and the length in its first three.
  const name = E.toString(h).indexOf(NAME);
  if (name === 4 && u16(h, 0) + h[2] * 65536 === size) {
    return layout.flashStart + layout.page;
  }
  print('first Storage.eraseAll()');
  return 0;
}

/**
 * The host's flash: addresses count from `base`, nothing outside the file is ever touched.
 *
 * @param base see openSlots
 */
export function slotFlash(base: number): Pick<Host, 'read' | 'write' | 'erase'> {
  return {
    read: MAPPED
      ? (at, n) => new Uint8Array(E.toArrayBuffer(E.memoryArea(base + at, n)))
      : (at, n) => flash.read(n, base + at),
    write: (at, bytes) => {
      const words = new Uint8Array(align(bytes.length));
      words.fill(255);
      words.set(bytes, 0);
      flash.write(words, base + at);
    },
    erase: (at) => flash.erasePage((base + at) | 0),
  };
}
