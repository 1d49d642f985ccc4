import type { Dot } from '../core/kernel.ts';
import type { EspruinoE } from './globals.ts';

declare const E: EspruinoE;

/** The tier `reference`: a loop. */
const loop: Dot = (a, b) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/**
 * Chooses the fastest kernel that the board has.
 *
 * @param asked 'reference' to do without native code
 * @returns its name and its dot product; both tiers are exact
 */
export function chooseTier(asked: string | undefined): { tier: string; dot: Dot } {
  const convolve = E.convolve;
  if (asked === 'reference' || convolve === undefined) return { tier: 'reference', dot: loop };
  return { tier: 'convolve', dot: (a, b) => convolve(a, b, 0) };
}
