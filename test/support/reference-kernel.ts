import type { Activation, QuantLayer, Sliding, Weighted } from '../../gateway/train/quant-layer.ts';
import {
  divideByPower,
  expOnNegative,
  highMul,
  multiplierOf,
  multiplyBy,
  oneOverOnePlus,
} from './bigint-arithmetic.ts';

const clamp = (v: number, low = -128, high = 127): number => Math.max(low, Math.min(high, v)) + 0; // no -0
const rounded = (v: number): number => Math.sign(v) * Math.floor(Math.abs(v) + 0.5);

/** acc · real, twice rounded, as a number. */
const scaled = (acc: number, real: number): number =>
  Number(multiplyBy(BigInt(acc), multiplierOf(real)));

function fused(activation: Activation, q: { scale: number; zero: number }, value: number): number {
  const low = activation === 'none' ? -128 : q.zero;
  const six = q.zero + rounded(Math.fround(6 / q.scale));
  return clamp(value, low, activation === 'relu6' ? Math.min(127, six) : 127);
}

/** Calls back with the values that each place sees, outside of the input undefined. */
function slide(
  s: Sliding,
  see: (at: (row: number, column: number, channel: number) => number | undefined) => void,
): void {
  const along = (length: number, kernel: number, stride: number): [number, number] => {
    if (s.padding === 'valid') return [Math.floor((length - kernel) / stride) + 1, 0];
    const out = Math.ceil(length / stride);
    return [out, Math.floor(Math.max((out - 1) * stride + kernel - length, 0) / 2)];
  };
  const [rows, top] = along(s.height, s.kernelHeight, s.strideHeight);
  const [columns, left] = along(s.width, s.kernelWidth, s.strideWidth);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      see((row, column, channel) => {
        const y = r * s.strideHeight - top + row;
        const x = c * s.strideWidth - left + column;
        const inside = y >= 0 && y < s.height && x >= 0 && x < s.width;
        return inside ? (y * s.width + x) * s.channels + channel : undefined;
      });
    }
  }
}

function requantised(layer: Weighted, out: number, acc: number): number {
  const { weightScale, input, output } = layer;
  const scale = weightScale[weightScale.length === 1 ? 0 : out]!;
  const value = scaled(acc, (input.scale * scale) / output.scale) + output.zero;
  return fused(layer.activation, output, value);
}

function convolution(layer: Extract<QuantLayer, { bias: Int32Array; height: number }>) {
  const deep = layer.type === 'conv2d';
  const outputs = layer.bias.length;
  const channels = deep ? layer.channels : 1;
  const { kernelHeight, kernelWidth } = layer;
  return (input: ArrayLike<number>): number[] => {
    const result: number[] = [];
    slide(layer, (at) => {
      for (let out = 0; out < outputs; out++) {
        let acc = layer.bias[out]!;
        for (let r = 0; r < kernelHeight; r++) {
          for (let k = 0; k < kernelWidth; k++) {
            for (let c = 0; c < channels; c++) {
              const own = deep ? c : Math.floor(out / (outputs / layer.channels));
              const index = at(r, k, own);
              const w = layer.weights[((out * kernelHeight + r) * kernelWidth + k) * channels + c]!;
              if (index !== undefined) acc += w * (input[index]! - layer.input.zero);
            }
          }
        }
        result.push(requantised(layer, out, acc));
      }
    });
    return result;
  };
}

function pooled(layer: Extract<QuantLayer, { type: 'maxpool2d' | 'avgpool2d' }>) {
  return (input: ArrayLike<number>): number[] => {
    const result: number[] = [];
    slide(layer, (at) => {
      for (let c = 0; c < layer.channels; c++) {
        const seen: number[] = [];
        for (let r = 0; r < layer.kernelHeight; r++) {
          for (let k = 0; k < layer.kernelWidth; k++) {
            const index = at(r, k, c);
            if (index !== undefined) seen.push(input[index]!);
          }
        }
        const sum = seen.reduce((a, b) => a + b, 0);
        const half = seen.length >> 1;
        const average = Math.trunc((sum > 0 ? sum + half : sum - half) / seen.length);
        const value = layer.type === 'maxpool2d' ? Math.max(...seen) : average;
        result.push(fused(layer.activation, layer.input, value));
      }
    });
    return result;
  };
}

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
export function referenceLayer(
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
