import type { Dot } from '../../device/core/arithmetic.ts';
import { multiply, runLayers, type Tier } from '../../device/core/kernel.ts';

/** Of int16 rows, as features have them: sums may leave int32. */
const dot: Dot = (a, b) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/* Of int8 rows: no sum of 65,535 products leaves int32, and V8 counts in it twice as fast. */
const bytes: Dot = (a, b) => {
  let sum = 0;
  const n = a.length;
  for (let i = 0; i < n; i++) sum = (sum + a[i]! * b[i]!) | 0;
  return sum;
};

/** The gateway's tier of the device's kernel: the same layers, the same numbers. */
export const tier: Tier = {
  dot,
  run: (layers, input) => runLayers(layers, input, bytes, multiply),
};
