import type { VirtualFlash } from './flash.ts';

const HEADER = 32;
const NAME = 28;

interface Entry {
  name: string;
  from: number;
  size: number;
}

/**
 * Espruino's Storage over virtual flash, laid out as the real one: header, data, next header.
 *
 * It creates and reads files. It does not compact, and refuses to replace a file: the runtime
 * relies on neither.
 *
 * @source espruino/Espruino: src/jsflash.c
 */
export class VirtualStorage {
  private readonly flash: VirtualFlash;

  constructor(flash: VirtualFlash) {
    this.flash = flash;
  }

  /** Names of the files, oldest first. */
  list(): string[] {
    return this.walk().files.map((file) => file.name);
  }

  /** Bytes after the last file. */
  getFree(): number {
    const { start, pageBytes, pages } = this.flash.shape;
    return start + pageBytes * pages - this.walk().free;
  }

  /** A file's bytes; undefined without one. */
  read(name: string): Uint8Array | undefined {
    const file = this.walk().files.find((entry) => entry.name === name);
    return file && this.flash.read(file.from, file.size);
  }

  readJSON(name: string): unknown {
    const bytes = this.read(name);
    return bytes && JSON.parse(Buffer.from(bytes).toString('latin1'));
  }

  /**
   * Creates a file.
   *
   * @param size of the file, when it is to be larger than `data`
   * @throws Error if there is one of that name, or no room
   */
  write(name: string, data: string | Uint8Array, offset = 0, size = 0): boolean {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    const { files, free } = this.walk();
    if (offset !== 0 || files.some((file) => file.name === name)) {
      throw new Error(`virtual Storage does not replace files: ${name}`);
    }
    const total = size || bytes.length;
    if (total + HEADER > this.getFree()) throw new Error('Unable to find or create file');
    const header = Buffer.alloc(HEADER);
    header.writeUInt32LE(total, 0);
    header.write(name.slice(0, NAME), 4, 'latin1');
    this.flash.write(free, header, 'storage');
    this.flash.write(free + HEADER, words(bytes), 'storage');
    return true;
  }

  private walk(): { files: Entry[]; free: number } {
    const { start, pageBytes, pages } = this.flash.shape;
    const end = start + pageBytes * pages;
    const files: Entry[] = [];
    let at = start;
    let free = 0;
    while (at + HEADER <= end) {
      const header = Buffer.from(this.flash.read(at, HEADER));
      const word = header.readUInt32LE(0);
      const size = word % 0x1000000;
      if (word === 0xffffffff || size === 0 || at + HEADER + size > end) {
        if (free > 0) break;
        free = at;
        at = start + (Math.floor((at - start) / pageBytes) + 1) * pageBytes;
        continue;
      }
      free = 0;
      const name = header.toString('latin1', 4).replace(/\0+$/, '');
      if (header.readUInt32LE(4) !== 0) files.push({ name, from: at + HEADER, size });
      at += HEADER + Math.ceil(size / 4) * 4;
    }
    return { files, free: free || at };
  }
}

function words(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(bytes.length / 4) * 4).fill(255);
  out.set(bytes);
  return out;
}
