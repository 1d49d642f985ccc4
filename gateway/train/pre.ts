/** Numbers of the feature sets that a task names. */
export const FEATURE_SETS = { raw: 0, statistics: 1, motion: 2 } as const;

/** Normalisation of a model's input: q = clamp(zero + floor((f - offset) · multiplier / 2^shift + 1/2)). */
export interface Pre {
  /** feature set: 0 none (raw), 1 statistics, 2 motion */
  set: 0 | 1 | 2;
  /** int8 that stands for 0 */
  zero: number;
  /** int32, one a feature, or one an axis of a raw window */
  offset: Int32Array;
  /** uint16 in [2^15, 2^16), or 0 for a feature that is constant */
  multiplier: Uint16Array;
  /** uint8, 0 to 31 */
  shift: Uint8Array;
}

/**
 * Writes a `pre` part: u8 1 + set, i8 zero, u16 n, int32 offset[n], uint16 multiplier[n], u8 shift[n];
 * little-endian, every array at a multiple of 4.
 *
 * @throws RangeError if the arrays' lengths differ, or a multiplier, shift or zero is outside its range
 */
export function encodePre(pre: Pre): Uint8Array {
  const n = pre.offset.length;
  if (pre.multiplier.length !== n || pre.shift.length !== n || n < 1 || n > 65535) {
    throw new RangeError('pre: offset, multiplier and shift must have one length, 1 to 65535');
  }
  if (pre.multiplier.some((m) => m !== 0 && m < 2 ** 15) || pre.shift.some((s) => s > 31)) {
    throw new RangeError('pre: multipliers must be 0 or at least 2^15, shifts at most 31');
  }
  if (!Number.isInteger(pre.zero) || pre.zero < -128 || pre.zero > 127) {
    throw new RangeError(`pre: zero must be an int8, not ${pre.zero}`);
  }
  const bytes = new Uint8Array(shiftAt(n) + Math.ceil(n / 4) * 4);
  bytes[0] = 1 + pre.set;
  const view = new DataView(bytes.buffer);
  view.setInt8(1, pre.zero);
  view.setUint16(2, n, true);
  for (let i = 0; i < n; i++) {
    view.setInt32(4 + 4 * i, pre.offset[i], true);
    view.setUint16(4 + 4 * n + 2 * i, pre.multiplier[i], true);
  }
  bytes.set(pre.shift, shiftAt(n));
  return bytes;
}

function shiftAt(n: number): number {
  return 4 + 4 * n + Math.ceil(n / 2) * 4;
}

/**
 * Reads a `pre` part: the exact inverse of encodePre.
 *
 * @param part whole part, at any alignment
 * @throws RangeError if its length, kind or set is impossible
 */
export function decodePre(part: Uint8Array): Pre {
  const view = new DataView(part.buffer, part.byteOffset, part.length);
  const n = view.getUint16(2, true);
  const set = view.getUint8(0) - 1;
  const known = set === 0 || set === 1 || set === 2;
  if (!known || part.length !== shiftAt(n) + Math.ceil(n / 4) * 4) {
    throw new RangeError(`pre: set ${set}, ${part.length} bytes is not a part`);
  }
  return {
    set,
    zero: view.getInt8(1),
    offset: Int32Array.from({ length: n }, (_, i) => view.getInt32(4 + 4 * i, true)),
    multiplier: Uint16Array.from({ length: n }, (_, i) => view.getUint16(4 + 4 * n + 2 * i, true)),
    shift: part.slice(shiftAt(n), shiftAt(n) + n),
  };
}

/**
 * Fits a normalisation without labels: the mean goes to 0, `sigmas` deviations go to ±127.
 *
 * So that what hardly moves is not blown up, a deviation counts as at least 4 (a quarter of a unit:
 * features are in sixteenths), and as 1 for a raw pre; what never moves gets multiplier 0.
 *
 * @param features integers, [window][feature]; for a raw pre: [sample][axis]
 * @param options sigmas: deviations that still fit, usually 3 to 5; set goes into the part, 0 for a
 *   raw window (default: 2)
 * @returns a Pre; a real unit of its int8 is sigmas/127 deviations
 * @throws RangeError if there are no windows, their lengths differ, or sigmas is not positive
 * @example fitPre([[10], [14]], { sigmas: 4 }).offset[0] // 12
 */
export function fitPre(
  features: readonly ArrayLike<number>[],
  options: { sigmas: number; set?: 0 | 1 | 2 },
): Pre {
  const n = features[0]?.length ?? 0;
  const { sigmas, set = 2 } = options;
  if (n === 0 || features.some((row) => row.length !== n) || !(sigmas > 0)) {
    throw new RangeError('fitPre: needs windows of one length, and sigmas above 0');
  }
  const pre: Pre = {
    set,
    zero: 0,
    offset: new Int32Array(n),
    multiplier: new Uint16Array(n),
    shift: new Uint8Array(n),
  };
  for (let i = 0; i < n; i++) {
    const mean = features.reduce((sum, row) => sum + row[i], 0) / features.length;
    const square = features.reduce((sum, row) => sum + (row[i] - mean) ** 2, 0);
    const deviation = Math.sqrt(square / features.length);
    pre.offset[i] = Math.round(mean);
    if (deviation === 0) continue;
    const scale = 127 / (sigmas * Math.max(deviation, set === 0 ? 1 : 4));
    let shift = 0;
    while (shift < 31 && Math.round(scale * 2 ** shift) < 2 ** 15) shift++;
    const multiplier = Math.round(scale * 2 ** shift);
    if (multiplier < 2 ** 15 || multiplier >= 2 ** 16) {
      throw new RangeError(`fitPre: feature ${i} cannot be scaled by ${scale}`);
    }
    pre.multiplier[i] = multiplier;
    pre.shift[i] = shift;
  }
  return pre;
}
