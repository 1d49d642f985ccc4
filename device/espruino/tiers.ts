import type { Dot } from '../core/arithmetic.ts';
import { multiply, type Tier, tierOf } from '../core/kernel.ts';
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
 * @returns the tier with its name
 */
export function chooseTier(asked: string | undefined): Tier & { tier: string } {
  const convolve = E.convolve;
  if (asked === 'reference' || convolve === undefined) {
    return Object.assign({ tier: 'reference' }, tierOf(loop, multiply));
  }
  const dot: Dot = (a, b) => convolve(a, b, 0);
  return Object.assign({ tier: 'convolve' }, tierOf(dot, multiply));
}
