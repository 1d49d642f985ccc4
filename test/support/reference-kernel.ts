import type { QuantLayer } from '../../gateway/train/quant-layer.ts';
import {
  divideByPower,
  expOnNegative,
  highMul,
  multiplierOf,
  multiplyBy,
  oneOverOnePlus,
} from './bigint-arithmetic.ts';
import { clamp, convolution, fused, pooled, requantised, scaled } from './reference-planes.ts';

function meanOf(layer: Extract<QuantLayer, { type: 'mean' }>, input: ArrayLike<number>): number[] {
  const n = layer.height * layer.width;
  const { m, s } = multiplierOf(layer.input.scale / layer.output.scale);
  let k = 0n;
  while (2n ** (k + 1n) <= BigInt(n) && k + 1n <= 31n + s) k++;
  const factor = { m: (m << k) / BigInt(n), s: s - k };
  return Array.from({ length: layer.channels }, (_, c) => {
    let acc = 0;
    for (let i = 0; i < n; i++) acc += input[i * layer.channels + c]! - layer.input.zero;
    return clamp(Number(multiplyBy(BigInt(acc), factor)) + layer.output.zero);
  });
}

function softmaxOf({ input: { scale }, beta }: { input: { scale: number }; beta: number }) {
  const { m, s } = multiplierOf(Math.min(beta * scale * 2 ** 26, 2 ** 31 - 1));
  const least = -((31n * 2n ** 26n) >> s);
  return (input: ArrayLike<number>): number[] => {
    const all = Array.from(input, BigInt);
    const max = all.reduce((a, b) => (a > b ? a : b));
    const exps = all.map((x) =>
      x - max < least ? undefined : expOnNegative(highMul((x - max) << s, m), 5n),
    );
    const sum = exps.reduce<bigint>((a, e) => a + divideByPower(e ?? 0n, 12n), 0n);
    const zeros = BigInt(Math.clz32(Number(sum)));
    const share = oneOverOnePlus((sum << zeros) - 2n ** 31n);
    return exps.map((e) => {
      if (e === undefined) return -128;
      return clamp(Number(divideByPower(highMul(share, e), 35n - zeros)) - 128);
    });
  };
}

function logistic(x: number, input: { scale: number; zero: number }): number {
  const { m, s } = multiplierOf(input.scale * 2 ** 27);
  const radius = Number((15n * 2n ** 27n) >> s);
  const value = x - input.zero;
  if (Math.abs(value) >= radius) return value < 0 ? -128 : 127;
  const a = multiplyBy(BigInt(value), { m, s });
  const below = a < 0n;
  let p = a === 0n ? 2n ** 30n : oneOverOnePlus(expOnNegative(below ? a : -a, 4n));
  if (below) p = 2n ** 31n - 1n - p;
  return clamp(Number(divideByPower(p, 23n)) - 128);
}

/** What one layer gives, by the formulas of TensorFlow Lite Micro's reference kernels. */
function referenceLayer(
  layer: QuantLayer,
  input: ArrayLike<number>,
  other: ArrayLike<number> = [],
): number[] {
  switch (layer.type) {
    case 'dense':
      return Array.from(layer.bias, (bias, out) => {
        let acc = bias;
        for (let i = 0; i < layer.inputs; i++) {
          acc += layer.weights[out * layer.inputs + i]! * (input[i]! - layer.input.zero);
        }
        return requantised(layer, out, acc);
      });
    case 'conv2d':
    case 'depthwise2d':
      return convolution(layer)(input);
    case 'maxpool2d':
    case 'avgpool2d':
      return pooled(layer)(input);
    case 'mean':
      return meanOf(layer, input);
    case 'softmax':
      return softmaxOf(layer)(input);
    case 'logistic':
      return Array.from(input, (x) => logistic(x, layer.input));
    case 'quantise':
      return Array.from(input, (x) =>
        clamp(
          scaled(x - layer.input.zero, layer.input.scale / layer.output.scale) + layer.output.zero,
        ),
      );
    case 'add': {
      const twice = 2 * Math.max(layer.input.scale, layer.input2.scale);
      return Array.from(input, (x, i) => {
        const a = scaled((x - layer.input.zero) * 2 ** 20, layer.input.scale / twice);
        const b = scaled((other[i]! - layer.input2.zero) * 2 ** 20, layer.input2.scale / twice);
        const sum = scaled(a + b, twice / (2 ** 20 * layer.output.scale)) + layer.output.zero;
        return fused(layer.activation, layer.output, sum);
      });
    }
  }
}

/** What layers give one after the other, each reading what its wiring says. */
export function referenceNet(layers: readonly QuantLayer[], input: ArrayLike<number>): number[] {
  const outputs: number[][] = [Array.from(input)]; // [i + 1] of layer i
  layers.forEach((layer, i) => {
    const read = outputs[(layer.from ?? i - 1) + 1]!;
    const other = layer.type === 'add' ? outputs[layer.from2 + 1]! : [];
    outputs.push(referenceLayer(layer, read, other));
  });
  return outputs[layers.length]!;
}
