import type { Host } from '../core/device.ts';
import { flat } from '../core/flat.ts';
import { align, u16 } from '../core/model.ts';
import { MAPPED } from '../core/options.ts';
import type { EspruinoE, EspruinoRequire } from './globals.ts';

declare const E: EspruinoE;
/** Espruino's `require`; the build renames it, since a bundler would resolve it. */
declare const library: EspruinoRequire;

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
 * @throws a text that says what to do, where other files are in its place
 * @source espruino/Espruino: src/jsflash.c, _jsfCreateFile and jsfGetStorageStats
 */
export function openSlots(layout: FlashLayout): void {
  const size = (3 + 2 * layout.slotPages) * layout.page - HEADER;
  if (storage.list().length < 1) storage.write(NAME, 'ws', 0, size);
  const h = flash.read(HEADER, layout.flashStart);
  // The name of the header's fifth byte on, and the length in its first three.
  const name = E.toString(h).indexOf(NAME);
  if (name !== 4 || u16(h, 0) + h[2] * 65536 !== size) throw 'first Storage.eraseAll()';
}

/** Bytes of flash, where they lie if that can be. */
export const readFlash: Host['read'] = MAPPED
  ? (at, n) => new Uint8Array(E.toArrayBuffer(E.memoryArea(at, n)))
  : (at, n) => flash.read(n, at);

/** Writes bytes, filled up to words with what an erased page has. */
export function writeFlash(at: number, bytes: Uint8Array): void {
  flash.write(flat([bytes, 255, 255, 255]).subarray(0, align(bytes.length)), at);
}

/** Erases the page that begins at an address; an integer, as Espruino wants it. */
export function eraseFlash(at: number): void {
  flash.erasePage(at | 0);
}
