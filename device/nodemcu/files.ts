import type { Host } from '../core/device.ts';
import type { NodeFile, OpenFile } from './globals.ts';

/* Of prelude.lua and of Lua. */
declare const luaString: (this: void, bytes: Uint8Array) => ArrayBuffer;
declare const luaJoin: (this: void, pieces: ArrayBuffer[], between: string) => ArrayBuffer;
declare const luaErased: (this: void, n: number) => ArrayBuffer;

/** The slot file: every page of the log and of both slots, made once and then only overwritten. */
const NAME = 'ws.slot';
/** How often an ESP32 has booted. */
const BOOTS = 'ws.boots';
/** Bytes erased or read at a time: half of what a NodeMCU reads at once without asking for more. */
const PIECE = 512;

/** Pages of the board's profile. */
export interface FileLayout {
  page: number;
  slotPages: number;
}

/**
 * Opens the slot file, or makes it: erased bytes of the full length.
 *
 * A page of it is no page of flash. SPIFFS and LittleFS write what changes to another place and then
 * point to it; what they promise at a power cut is theirs, and weaker than the core's own on raw
 * flash, which was measured there and has not been here: a record of the log (16 bytes) never
 * crosses a page of SPIFFS (256 bytes), so that it should come whole or not at all.
 *
 * @param open of the module `file`, or on ESP32 of `io`
 * @returns the open file; undefined where it cannot be made
 */
export function openFile(open: OpenFile, layout: FileLayout): NodeFile | undefined {
  const size = (2 + 2 * layout.slotPages) * layout.page;
  const found = open(NAME, 'r+');
  if (found !== undefined) {
    if (found.seek('end', 0) === size) return found;
    found.close(); // it was made for another board, or power went while it was made
  }
  const made = open(NAME, 'w+');
  if (made === undefined) return undefined;
  for (let at = 0; at < size; at += PIECE) made.write(luaErased(Math.min(PIECE, size - at)));
  made.close();
  return open(NAME, 'r+');
}

/**
 * A number that another boot does not have, where there is no noise to draw one from: boots are counted.
 *
 * @returns 1 to 2^31 - 1
 */
export function bootNumber(open: OpenFile): number {
  const bytes = new Uint8Array(4);
  const found = open(BOOTS, 'r');
  if (found !== undefined) {
    const old = found.read(4);
    if (old !== undefined) bytes.set(new Uint8Array(old), 0);
    found.close();
  }
  let count =
    (bytes[0] + 256 * (bytes[1] + 256 * (bytes[2] + 256 * (bytes[3] % 128)))) % 2147483646;
  count++;
  bytes.set(new Uint8Array(new Uint32Array([count]).buffer), 0);
  const file = open(BOOTS, 'w');
  if (file !== undefined) {
    file.write(luaString(bytes));
    file.close();
  }
  return count;
}

/** The host's flash, in a file: addresses count from its start. */
export function fileFlash(file: NodeFile, page: number): Pick<Host, 'read' | 'write' | 'erase'> {
  return {
    read: (at, n) => {
      const pieces: ArrayBuffer[] = [];
      file.seek('set', at);
      for (let left = n; left > 0; left -= PIECE) {
        pieces.push(file.read(Math.min(PIECE, left)) as ArrayBuffer);
      }
      return new Uint8Array(luaJoin(pieces, ''));
    },
    write: (at, bytes) => {
      file.seek('set', at);
      file.write(luaString(bytes));
      file.flush();
    },
    erase: (at) => {
      file.seek('set', at);
      for (let left = page; left > 0; left -= PIECE) file.write(luaErased(Math.min(PIECE, left)));
      file.flush();
    },
  };
}
