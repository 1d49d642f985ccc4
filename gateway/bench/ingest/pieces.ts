/**
 * Many byte streams over one: pieces of `[stream u16][length u16][bytes]`, little-endian. One socket
 * carries the bytes of all devices, so that what the kernel does for a thousand handles is not measured.
 */
const HEAD = 4;
/** Most bytes of a piece. */
export const MOST = 0xffff;

/**
 * One piece.
 *
 * @param stream number of the device, 0 to 65,535
 * @param bytes at most {@link MOST}
 * @example piece(2, new Uint8Array([7])) // new Uint8Array([2, 0, 1, 0, 7])
 */
export function piece(stream: number, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEAD + bytes.length);
  const view = new DataView(out.buffer);
  view.setUint16(0, stream, true);
  view.setUint16(2, bytes.length, true);
  out.set(bytes, HEAD);
  return out;
}

/**
 * Takes pieces apart, however they were cut.
 *
 * @param onPiece told of each; the bytes are a view that is valid during the call
 * @returns takes what was received
 */
export function pieces(
  onPiece: (stream: number, bytes: Uint8Array) => void,
): (received: Uint8Array) => void {
  let kept: Uint8Array = new Uint8Array(0);
  return (received) => {
    const bytes = kept.length === 0 ? received : Buffer.concat([kept, received]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    while (at + HEAD <= bytes.length) {
      const end = at + HEAD + view.getUint16(at + 2, true);
      if (end > bytes.length) break;
      onPiece(view.getUint16(at, true), bytes.subarray(at + HEAD, end));
      at = end;
    }
    kept = bytes.slice(at);
  };
}
