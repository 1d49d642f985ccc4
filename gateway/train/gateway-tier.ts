import type { Dot } from '../../device/core/arithmetic.ts';
import { multiply, type Tier, tierOf } from '../../device/core/kernel.ts';

/** Exact dot product of integer rows. */
const dot: Dot = (a, b) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** The gateway's tier of the device's kernel. */
export const tier: Tier = tierOf(dot, multiply);
