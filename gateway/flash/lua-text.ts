/**
 * Bytes as the inside of a Lua string, as many as fit.
 *
 * @param from the first of them
 * @param most characters of the text
 * @returns the text, and the first byte that is not in it
 * @example quoted(Buffer.from('a"\n'), 0, 9) // ['a\\"\\010', 3]
 */
export function quoted(
  bytes: Uint8Array,
  from: number,
  most: number,
): [text: string, next: number] {
  let text = '';
  let at = from;
  for (; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    const char = String.fromCharCode(byte);
    const isPlain = byte >= 32 && byte < 127;
    const piece = isPlain ? char.replace(/["\\]/, '\\$&') : `\\${String(byte).padStart(3, '0')}`;
    if (text.length + piece.length > most) break;
    text += piece;
  }
  return [text, at];
}

/**
 * Adler-32 as the board writes it: both sums.
 *
 * @source RFC 1950, section 8.2
 * @example adler(Buffer.from('Wikipedia')) // '920,4582'
 */
export function adler(bytes: Uint8Array): string {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return `${a},${b}`;
}
