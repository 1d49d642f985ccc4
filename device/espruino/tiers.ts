import type { Dot } from '../core/arithmetic.ts';
import { type Tier, tierOf } from '../core/kernel.ts';
import { REFERENCE, TFLM } from '../core/options.ts';
import { BLOB } from './blob.ts';
import { dense } from './convolve.ts';
import type { EspruinoE } from './globals.ts';
import { tflmTier } from './tflm.ts';
import { thumbKernel } from './thumb.ts';

declare const E: EspruinoE;

/** The tier `reference`: a loop. */
const loop: Dot = (a, b) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/** The tier on native products, and those that go back to it: see thumbKernel and tflmTier. */
function make(name: string): Tier {
  const dot = REFERENCE && name === 'reference' ? loop : E.convolve;
  const tier = tierOf(dot, BLOB !== '' && name === 'thumb' ? thumbKernel(dense) : dense);
  return TFLM && name === 'tflm' ? tflmTier(tier) : tier;
}

/**
 * Chooses the fastest kernel that the board has.
 *
 * @param tiers names of those in its profile, the fastest first; the bundle holds them
 * @param asked the first of them to try: 'convolve' to do without machine code, 'reference' without
 *   native products
 * @returns the tier and its name: what the board has, not what each layer then runs in, which
 *   thumbKernel and tflmTier decide when it first runs
 */
export function chooseTier(
  tiers: readonly string[],
  asked: string | undefined,
): [tier: Tier, name: string] {
  let i = Math.max(0, tiers.indexOf(asked || ''));
  let tier: Tier | undefined;
  while (!tier || !tier.dot) {
    try {
      tier = make(tiers[i]);
    } catch {
      // the board has not what it needs; the last of its tiers needs nothing that it has not
    }
    i++;
  }
  return [tier, tiers[i - 1]];
}
