import { type Kernel, rescale } from '../core/arithmetic.ts';
import { multiply } from '../core/kernel.ts';
import { CONV1D } from '../core/options.ts';
import type { EspruinoE } from './globals.ts';

declare const E: EspruinoE;

/** What makes a sum positive before its fraction is cut; storing it as int8 takes it off again. */
const LIFT = 256;

/**
 * Dense layers for an interpreter, where each name, number and call that is read costs as much as many
 * products: six operations an output. Other layers are left to `multiply`.
 *
 * With one multiplier m and a right shift s of 1 to 12, both roundings are
 * floor(acc · m / 2^(31+s) + 1/2 + 1/2^(s+1) - (acc < 0 ? 1/2^s : 0)), and that is exact: up to
 * |acc| = 2^22 every step is, and beyond it the first term alone is 2^9 or more, so that the result
 * is a bound of the layer whatever was rounded.
 *
 * @source see multiply
 */
export const dense: Kernel = (layer, input, dot, other) => {
  // The most used first: names are looked up one after the other.
  let at = 0;
  let out = 0;
  const weights = layer.weights;
  const size = input.length;
  const clip = E.clip;
  const output = new Int8Array(layer.bias.length);
  const head = layer.head;
  const low = LIFT + head[1];
  const high = LIFT + head[15];
  const right = -layer.right[0];
  const scale = 1 / 2147483648 / (1 << right);
  const factor = layer.multiplier[0] * scale;
  const below = LIFT + 0.5 + head[3] - 1073741824 * scale;
  const above = below + 2147483648 * scale;
  if (CONV1D && (head[0] !== 1 || head[16] !== 0)) return multiply(layer, input, dot, other);
  if (right < 1 || right > 12) {
    for (const bias of layer.bias) {
      // biome-ignore lint/suspicious/noAssignInExpressions: as below
      const sum = bias + dot(input, weights.subarray(at, (at += size)));
      output[out++] = clip(LIFT + head[3] + rescale(sum, layer.multiplier[0], -right), low, high);
    }
    return output;
  }
  for (let sum of layer.bias) {
    // biome-ignore lint/suspicious/noAssignInExpressions: a statement of its own would cost 3%
    sum += dot(input, weights.subarray(at, (at += size)));
    output[out++] = clip(sum * factor + (sum < 0 ? below : above), low, high);
  }
  return output;
};
