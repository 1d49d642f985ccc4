import { type Quantisation, roundAway } from '../quant-layer.ts';

/** A normalisation of one axis or feature: see Pre. */
export interface Normalisation {
  zero: number;
  offset: number;
  multiplier: number;
  shift: number;
}

/** Offsets and multipliers that are tried, nearest first. */
const OFFSETS = 512;
/** Above so many integers (features, not counts) offsets are not worth their time. */
const FEW = 1024;
const MULTIPLIERS = [0, 1, -1, 2, -2, 3, -3];

/**
 * The int8 that QUANTIZE makes of an integer.
 *
 * @source TensorFlow Lite Micro AffineQuantize, in float32, half away from zero
 * @example quantised(-3, { scale: 2, zero: 1 }) // -1
 */
export function quantised(value: number, { scale, zero }: Quantisation): number {
  return Math.max(-128, Math.min(127, roundAway(Math.fround(value / scale)) + zero));
}

/** The int8 that a device makes of an integer. @source device/core/model.ts normalise() */
export function normalised(
  value: number,
  { zero, offset, multiplier, shift }: Normalisation,
): number {
  const q = zero + Math.floor(((value - offset) * multiplier) / 2 ** shift + 0.5);
  return Math.max(-128, Math.min(127, q));
}

/** A normalisation, and how many of the integers it was made for come out one step beside QUANTIZE's. */
export interface Fitted {
  normalisation: Normalisation;
  off: number;
}

/**
 * Finds a normalisation that gives what QUANTIZE gives, for every integer of a range where there is
 * one, else for the most of them.
 *
 * A multiplier has 16 bits, and its ties go up where QUANTIZE's go away from zero: one a little too
 * large moves them apart, and an offset moves where the errors lie. Scales like 10/17 have ties that
 * float32 rounds now one way and now the other: those no multiplier meets.
 *
 * @param quantisation of the model's int8 input; its real numbers are the integers
 * @param least first integer
 * @param most last integer
 * @throws RangeError if the scale is not from 2^-16 to 2^16
 * @example fitNormalisation({ scale: 2, zero: 3 }, -128, 127) // { normalisation: { zero: 3, offset: 0, multiplier: 32769, shift: 16 }, off: 0 }
 */
export function fitNormalisation(quantisation: Quantisation, least: number, most: number): Fitted {
  const { multiplier, shift } = nearest(quantisation.scale);
  const wanted = Array.from({ length: most - least + 1 }, (_, i) =>
    quantised(least + i, quantisation),
  );
  let best: Fitted | undefined;
  const offsets = wanted.length > FEW ? 0 : OFFSETS;
  for (let n = 0; n <= 2 * offsets; n++) {
    const offset = n % 2 === 0 ? n / 2 : -(n + 1) / 2;
    const zero = quantisation.zero + Math.round(offset / quantisation.scale);
    if (zero < -128 || zero > 127) continue;
    for (const more of MULTIPLIERS) {
      const tried = { zero, offset, multiplier: multiplier + more, shift };
      if (tried.multiplier < 2 ** 15 || tried.multiplier >= 2 ** 16) continue;
      const off = wanted.filter((q, i) => normalised(least + i, tried) !== q).length;
      if (best === undefined || off < best.off) best = { normalisation: tried, off };
      if (off === 0) return best;
    }
  }
  return best!;
}

function nearest(scale: number): { multiplier: number; shift: number } {
  for (let shift = 0; shift <= 31; shift++) {
    const multiplier = Math.round(2 ** shift / scale);
    if (multiplier >= 2 ** 16) break;
    if (multiplier >= 2 ** 15) return { multiplier, shift };
  }
  throw new RangeError(`a scale of ${scale} is not from 2^-16 to 2^16`);
}
