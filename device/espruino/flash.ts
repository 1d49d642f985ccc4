import type { Host } from '../core/device.ts';
import type { EspruinoE, EspruinoFlash, EspruinoRequire } from './globals.ts';

declare const E: EspruinoE;
/** Espruino's `require`; the build renames it, since a bundler would resolve it. */
declare const library: EspruinoRequire;
declare const print: (text: string) => void;

/** The slot file's name in Storage. */
const NAME = 'ws.slot';
const HEADER = 32;

/** Flash as a board's profile describes it, and the slot pages in it. */
export interface FlashLayout {
  /** Storage's first address, and its pages */
  flashStart: number;
  pages: number;
  /** bytes of a page */
  page: number;
  mapped: boolean;
  slotPages: number;
}

interface Found {
  /** where the slot file's data begin and end; 0 without a file */
  from: number;
  to: number;
  /** where Storage puts the next file */
  free: number;
  /** a file that is not Whetstone's, or a deleted one */
  foreign: boolean;
}

/**
 * Walks Storage as Espruino does: a header of 32 bytes (length, flags, name), the data, the next
 * header at a multiple of 4; where there is none, at the next page.
 *
 * `E.getAddressOf` cannot say where a file lies when flash is not mapped.
 *
 * @source espruino/Espruino: src/jsflash.c, jsfGetFileHeader and jsfGetNextFileHeader
 */
function walk(flash: EspruinoFlash, layout: FlashLayout): Found {
  const found = { from: 0, to: 0, free: 0, foreign: false };
  const page = layout.page;
  const end = layout.flashStart + page * layout.pages;
  let at = layout.flashStart;
  let jumped = false;
  while (at + HEADER <= end) {
    const h = flash.read(HEADER, at);
    const size = h[0] + h[1] * 256 + h[2] * 65536;
    const data = at + HEADER;
    if ((h[3] === 255 && size === 16777215) || size < 1 || data + size > end) {
      if (found.free < 1) found.free = at;
      if (jumped) break;
      jumped = true;
      at = (Math.floor(at / page) + 1) * page;
    } else {
      let name = '';
      for (let i = 4; i < HEADER; i++) if (h[i] > 0) name += String.fromCharCode(h[i]);
      if (h[4] > 0 && name === NAME) {
        found.from = data;
        found.to = data + size;
      } else if (h[4] < 1 || !/^(ws|whetstone|\.boot)/.test(name)) found.foreign = true;
      jumped = false;
      found.free = 0;
      at = Math.ceil((data + size) / 4) * 4;
    }
  }
  return found;
}

/**
 * Finds the slot file, or creates it where Storage holds nothing but Whetstone itself: the only
 * time that a file is created. It ends where a page ends, so that Storage's compaction of files
 * behind it never starts in it.
 *
 * @returns address of the first whole page in the file, a log page; 0 after a message on the console
 */
export function openSlots(layout: FlashLayout): number {
  const flash = library('Flash');
  const page = layout.page;
  const bytes = (2 + 2 * layout.slotPages) * page;
  const first = (at: number): number => Math.ceil(at / page) * page;
  let found = walk(flash, layout);
  if (found.from < 1) {
    const data = found.free + HEADER;
    const end = first(data) + bytes;
    if (found.foreign || end > layout.flashStart + page * layout.pages) {
      print('Whetstone: Storage must be empty: require("Storage").eraseAll(), then flash again');
      return 0;
    }
    library('Storage').write(NAME, 'ws', 0, end - data);
    found = walk(flash, layout);
  }
  if (found.from < 1 || first(found.from) + bytes > found.to) {
    print('Whetstone: ' + NAME + ' is too small: erase Storage, then flash again');
    return 0;
  }
  return first(found.from);
}

/**
 * The host's flash: addresses count from `base`, nothing outside the file is ever touched.
 *
 * @param base see openSlots
 */
export function slotFlash(
  layout: FlashLayout,
  base: number,
): Pick<Host, 'read' | 'write' | 'erase'> {
  const flash = library('Flash');
  return {
    read: layout.mapped
      ? (at, n) => new Uint8Array(E.toArrayBuffer(E.memoryArea(base + at, n)))
      : (at, n) => flash.read(n, base + at),
    write: (at, bytes) => {
      const words = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
      words.fill(255);
      words.set(bytes, 0);
      flash.write(words, base + at);
    },
    erase: (at) => flash.erasePage((base + at) | 0),
  };
}
