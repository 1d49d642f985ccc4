import { createRandom, type Random } from '../../../random.ts';

/** One change of a file or frame; may give the bytes that it was given. */
export type Mutator = (bytes: Uint8Array, random: Random) => Uint8Array;

/** Nothing grows beyond this: what a longer one could show, a shorter one does. */
const MOST_BYTES = 1 << 17;
/** Changes of one case. */
const MOST_CHANGES = 4;

/** Numbers at which arithmetic turns. */
export const EDGES = [
  ...[0, 1, 2, 3, 4, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000],
  ...[0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff],
];

export const pick = <T>(random: Random, from: readonly T[]): T =>
  from[random.integer(from.length)]!;

/** A copy with `cut` bytes at a place replaced by others. */
export function replaced(
  bytes: Uint8Array,
  at: number,
  cut: number,
  by: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const out = new Uint8Array(bytes.length - cut + by.length);
  out.set(bytes.subarray(0, at));
  out.set(by, at);
  out.set(bytes.subarray(at + cut), at + by.length);
  return out;
}

export function noise(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(256));
}

const place = (bytes: Uint8Array, random: Random): number => random.integer(bytes.length + 1);

/** A stretch of the bytes: mostly short. */
function stretch(bytes: Uint8Array, random: Random): [at: number, length: number] {
  const at = place(bytes, random);
  const most = random.integer(4) === 0 ? Math.max(1, bytes.length) : 16;
  return [at, Math.min(bytes.length - at, 1 + random.integer(most))];
}

function withNumber(bytes: Uint8Array, at: number, size: number, value: number, little: boolean) {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  if (size === 1) view.setUint8(at, value % 256);
  else if (size === 2) view.setUint16(at, value % 65536, little);
  else view.setUint32(at, value, little);
  return out;
}

/** What can be done to any bytes. */
const ANY: readonly Mutator[] = [
  (bytes, random) => {
    const out = bytes.slice();
    if (out.length > 0) out[random.integer(out.length)]! ^= 2 ** random.integer(8);
    return out;
  },
  (bytes, random) => {
    const out = bytes.slice();
    if (out.length > 0) out[random.integer(out.length)] = random.integer(256);
    return out;
  },
  (bytes, random) => {
    const size = pick(random, [1, 2, 4]);
    if (bytes.length < size) return bytes;
    let at = random.integer(bytes.length - size + 1);
    if (random.integer(2) === 0) at -= at % size;
    return withNumber(bytes, at, size, pick(random, EDGES), random.integer(2) === 0);
  },
  (bytes, random) => bytes.slice(0, place(bytes, random)),
  (bytes, random) => bytes.slice(place(bytes, random)),
  (bytes, random) => replaced(bytes, ...stretch(bytes, random)),
  (bytes, random) => {
    const [at, length] = stretch(bytes, random);
    return replaced(bytes, at, 0, bytes.slice(at, at + length));
  },
  (bytes, random) =>
    replaced(bytes, place(bytes, random), 0, noise(random, 1 + random.integer(16))),
  (bytes, random) => {
    const [at, length] = stretch(bytes, random);
    return bytes.slice().fill(pick(random, [0, 255, 0x41, random.integer(256)]), at, at + length);
  },
  (bytes, random) => {
    const [at, length] = stretch(bytes, random);
    const out = replaced(bytes, at, length);
    return replaced(out, place(out, random), 0, bytes.slice(at, at + length));
  },
];

/**
 * The bytes of one case: a file of the corpus, changed here and there, joined with another, or noise.
 * The same seed and index give the same bytes.
 *
 * @param corpus good ones
 * @param own mutators that know the form; half of the changes are theirs
 */
export function mutated(
  corpus: readonly Uint8Array[],
  own: readonly Mutator[],
  seed: number,
  index: number,
): Uint8Array {
  const random = createRandom(seed, index);
  let bytes = pick(random, corpus);
  const kind = random.integer(32);
  if (kind === 0) return noise(random, random.integer(300));
  if (kind < 4) {
    const other = pick(random, corpus);
    const [to, from] = [place(bytes, random), place(other, random)];
    bytes = replaced(bytes, to, bytes.length - to, other.slice(from));
    if (random.integer(2) === 0) return bytes.slice(0, MOST_BYTES);
  }
  for (let n = 1 + random.integer(MOST_CHANGES); n > 0; n--) {
    const mutators = own.length > 0 && random.integer(2) === 0 ? own : ANY;
    bytes = pick(random, mutators)(bytes, random).slice(0, MOST_BYTES);
  }
  return bytes;
}
