/** One change of flash, as it was asked for. */
export interface FlashOp {
  kind: 'write' | 'erase';
  /** address; of an erase, of its page */
  at: number;
  /** what was to be written; empty for an erase */
  bytes: Uint8Array;
  /** which library did it: the field uses `flash` alone */
  by: 'flash' | 'storage';
}

/** Contents of flash: pages by their number; a page that is not there is erased. */
export type FlashImage = ReadonlyMap<number, Uint8Array>;

export interface FlashShape {
  start: number;
  pageBytes: number;
  pages: number;
}

/**
 * What a power cut leaves of an operation: which bytes of a write, or of the page of an erase, were
 * reached. Where it was among the bits of a byte, the mask of those that were.
 */
export type Tear = (index: number, length: number) => boolean | number;

/** Half of the bytes: what is written from the front, an erase from the back. */
export const firstHalf: Tear = (index, length) => index < length / 2;

/**
 * Flash as the real one: a write only clears bits and is in words, an erase sets a whole page.
 *
 * Every operation is recorded, and the contents after any number of them can be had again: a power
 * cut is a new board on such an image.
 */
export class VirtualFlash {
  readonly shape: FlashShape;
  readonly ops: FlashOp[] = [];
  /** words written twice without an erase between: a real chip bears a few, the machine needs none */
  overwritten = 0;
  /** without power nothing changes any more */
  dead = false;
  /** called before each operation; may cut the power */
  onOp: (index: number) => void = () => {};
  private first: FlashImage;
  private readonly now: Map<number, Uint8Array>;

  constructor(shape: FlashShape, image: FlashImage = new Map()) {
    this.shape = shape;
    this.first = copyOf(image);
    this.now = copyOf(image);
  }

  /** @throws RangeError outside flash */
  read(at: number, length: number): Uint8Array {
    this.check(at, length);
    const out = new Uint8Array(length).fill(255);
    const { pageBytes } = this.shape;
    for (let done = 0; done < length; ) {
      const offset = at - this.shape.start + done;
      const from = offset % pageBytes;
      const n = Math.min(pageBytes - from, length - done);
      const page = this.now.get((offset - from) / pageBytes);
      if (page !== undefined) out.set(page.subarray(from, from + n), done);
      done += n;
    }
    return out;
  }

  /** @throws RangeError outside flash or between words */
  write(at: number, bytes: Uint8Array, by: FlashOp['by'] = 'flash'): void {
    this.check(at, bytes.length);
    if (at % 4 !== 0 || bytes.length % 4 !== 0) {
      throw new RangeError(`flash is written in words: ${bytes.length} bytes at ${at}`);
    }
    const op: FlashOp = { kind: 'write', at, bytes: bytes.slice(), by };
    const old = this.read(at, bytes.length);
    this.carry(op);
    if (!this.dead) {
      for (let i = 0; i < bytes.length; i += 4) {
        if (old.subarray(i, i + 4).some((byte) => byte !== 255)) this.overwritten++;
      }
    }
  }

  /** @throws RangeError outside flash */
  erase(at: number, by: FlashOp['by'] = 'flash'): void {
    this.check(at, 1);
    const { start, pageBytes } = this.shape;
    const page = start + Math.floor((at - start) / pageBytes) * pageBytes;
    this.carry({ kind: 'erase', at: page, bytes: new Uint8Array(0), by });
  }

  /**
   * Contents after the first operations.
   *
   * @param count how many of `ops` were carried out whole
   * @param tear what was carried out of the next one; default nothing
   */
  image(count = this.ops.length, tear?: Tear): FlashImage {
    const pages = copyOf(this.first);
    for (const op of this.ops.slice(0, count)) apply(pages, this.shape, op, () => true);
    const torn = this.ops[count];
    if (tear !== undefined && torn !== undefined) apply(pages, this.shape, torn, tear);
    return pages;
  }

  /** Takes its contents as those it began with: what was done before is not told any more. */
  forget(): void {
    this.ops.length = 0;
    this.first = copyOf(this.now);
  }

  private carry(op: FlashOp): void {
    if (this.dead) return;
    this.onOp(this.ops.length);
    if (this.dead) return;
    this.ops.push(op);
    apply(this.now, this.shape, op, () => true);
  }

  private check(at: number, length: number): void {
    const { start, pageBytes, pages } = this.shape;
    if (!(at >= start && at + length <= start + pageBytes * pages)) {
      throw new RangeError(`no flash at ${at}, ${length} bytes`);
    }
  }
}

/** The whole of flash in one array, as Espruino's file `espruino.flash` holds it. */
export function flatImage(shape: FlashShape, image: FlashImage): Uint8Array {
  const out = new Uint8Array(shape.pageBytes * shape.pages).fill(255);
  for (const [page, bytes] of image) out.set(bytes, page * shape.pageBytes);
  return out;
}

function copyOf(image: FlashImage): Map<number, Uint8Array> {
  return new Map([...image].map(([page, bytes]) => [page, bytes.slice()]));
}

function apply(pages: Map<number, Uint8Array>, shape: FlashShape, op: FlashOp, tear: Tear): void {
  const offset = op.at - shape.start;
  const length = op.kind === 'erase' ? shape.pageBytes : op.bytes.length;
  for (let i = 0; i < length; i++) {
    const torn = tear(i, length);
    const mask = torn === true ? 255 : Number(torn);
    if (mask === 0) continue;
    const number = Math.floor((offset + i) / shape.pageBytes);
    let page = pages.get(number);
    if (page === undefined) {
      if (op.kind === 'erase') return; // it is erased
      page = new Uint8Array(shape.pageBytes).fill(255);
      pages.set(number, page);
    }
    const at = (offset + i) % shape.pageBytes;
    page[at] = op.kind === 'erase' ? page[at] | mask : page[at] & (op.bytes[i] | (255 - mask));
  }
}
