import type { Activation, QuantLayer, Sliding, Weighted } from '../../gateway/train/quant-layer.ts';
import { multiplierOf, multiplyBy } from './bigint-arithmetic.ts';

/** Within two bounds; never -0. */
export const clamp = (v: number, low = -128, high = 127): number =>
  Math.max(low, Math.min(high, v)) + 0;
const rounded = (v: number): number => Math.sign(v) * Math.floor(Math.abs(v) + 0.5);

/** acc · real, twice rounded, as a number. */
export const scaled = (acc: number, real: number): number =>
  Number(multiplyBy(BigInt(acc), multiplierOf(real)));

/** Clamped as a fused activation does. */
export function fused(
  activation: Activation,
  q: { scale: number; zero: number },
  value: number,
): number {
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

/** An accumulator of one output channel in int8. */
export function requantised(layer: Weighted, out: number, acc: number): number {
  const { weightScale, input, output } = layer;
  const scale = weightScale[weightScale.length === 1 ? 0 : out]!;
  const value = scaled(acc, (input.scale * scale) / output.scale) + output.zero;
  return fused(layer.activation, output, value);
}

/** CONV_2D or DEPTHWISE_CONV_2D. */
export function convolution(layer: Extract<QuantLayer, { bias: Int32Array; height: number }>) {
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

/** MAX_POOL_2D or AVERAGE_POOL_2D. */
export function pooled(layer: Extract<QuantLayer, { type: 'maxpool2d' | 'avgpool2d' }>) {
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
