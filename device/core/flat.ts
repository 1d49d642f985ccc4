/** What becomes bytes: a number is one, truncated and taken mod 256; text is a byte a character. */
export type Bytes = number | string | Uint8Array | Int8Array | readonly Bytes[];

function count(part: Bytes): number {
  if (typeof part === 'number') return 1;
  if (!Array.isArray(part)) return part.length;
  let sum = 0;
  for (const inner of part) sum += count(inner);
  return sum;
}

function place(out: Uint8Array, at: number, part: Bytes): number {
  if (typeof part === 'number') out[at] = part;
  else if (typeof part === 'string') {
    for (let i = 0; i < part.length; i++) out[at + i] = part.charCodeAt(i);
  } else if (Array.isArray(part)) {
    for (const inner of part) at = place(out, at, inner);
    return at;
  } else out.set(part as Uint8Array, at);
  return at + count(part);
}

/**
 * Joins bytes. This is Node's; a bundle has what its board does natively in the place of this module.
 *
 * @param parts lists in lists of bytes, in order
 * @returns an array of its own
 * @example flat([1, [258, 'a'], new Uint8Array([9])]) // new Uint8Array([1, 2, 97, 9])
 */
export function flat(parts: readonly Bytes[]): Uint8Array {
  const out = new Uint8Array(count(parts));
  place(out, 0, parts);
  return out;
}
