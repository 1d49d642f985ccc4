import { byte, type Kernel, type Layer, requantise } from './arithmetic.ts';

/** Height of what a layer of two dimensions reads; of what it gives, where `at` is 22. */
function heightOf(layer: Layer, at: number): number {
  return byte(layer.head[at]) + 256 * byte(layer.head[at + 1]);
}

/**
 * What each place of a convolution sees, one after the other, so that a filter is one dot product a
 * place: padding reads the input's zero point, whose product with the weights is folded into the bias.
 *
 * @param layer conv2d or depthwise2d
 * @param input int8 [heightIn][widthIn][channelsIn]
 * @returns int8 [places][kernelHeight][kernelWidth][channelsIn]; for depthwise2d
 *   [channelsIn][places][kernelHeight][kernelWidth]
 */
export function patches(layer: Layer, input: Int8Array): Int8Array {
  const head = layer.head;
  const width = layer.shape[2];
  const across = layer.shape[3];
  const height = heightOf(layer, 20);
  const places = across * heightOf(layer, 22);
  const rows = byte(head[24]);
  const columns = byte(head[12]);
  const planes = head[0] === 6 ? layer.shape[0] : 1;
  const together = layer.shape[0] / planes;
  const size = rows * columns * together;
  const out = new Int8Array(planes * places * size).fill(head[2]);
  let x: number;
  let y: number;
  let from: number;
  let to: number;
  let at: number;
  let column: number;
  let plane: number;
  for (let place = 0; place < places; place++) {
    x = (place % across) * byte(head[13]) - head[14];
    from = Math.max(0, -x);
    to = Math.min(columns, width - x);
    for (let row = 0; row < rows; row++) {
      y = Math.floor(place / across) * byte(head[25]) - head[26] + row;
      if (y >= 0 && y < height && from < to) {
        at = place * size + row * columns * together;
        if (planes === 1) {
          out.set(
            input.subarray((y * width + x + from) * together, (y * width + x + to) * together),
            at + from * together,
          );
        } else {
          for (column = from; column < to; column++) {
            for (plane = 0; plane < planes; plane++) {
              out[plane * places * size + at + column] =
                input[(y * width + x + column) * planes + plane];
            }
          }
        }
      }
    }
  }
  return out;
}

/**
 * MAX_POOL_2D and AVERAGE_POOL_2D; an average counts what lies within the input.
 *
 * @source TFLM reference_integer_ops pooling.h
 */
export const pool2d: Kernel = (layer, input) => {
  const head = layer.head;
  const channels = layer.shape[0];
  const width = layer.shape[2];
  const across = layer.shape[3];
  const height = heightOf(layer, 20);
  const output = new Int8Array(across * heightOf(layer, 22) * channels);
  let x: number;
  let y: number;
  let left: number;
  let right: number;
  let bottom: number;
  let at: number;
  let value: number;
  let sum: number;
  let max: number;
  let count: number;
  for (let out = 0; out < output.length; out++) {
    at = Math.floor(out / channels);
    left = (at % across) * byte(head[13]) - head[14];
    y = Math.floor(at / across) * byte(head[25]) - head[26];
    right = Math.min(width, left + byte(head[12]));
    bottom = Math.min(height, y + byte(head[24]));
    left = Math.max(0, left);
    y = Math.max(0, y);
    count = (right - left) * (bottom - y);
    sum = 0;
    max = -128;
    for (; y < bottom; y++) {
      for (x = left; x < right; x++) {
        value = input[(y * width + x) * channels + (out % channels)];
        sum += value;
        if (value > max) max = value;
      }
    }
    if (head[0] === 8) {
      at = Math.floor(count / 2);
      max = sum < 0 ? -Math.floor((at - sum) / count) : Math.floor((sum + at) / count);
    }
    output[out] = Math.max(head[1], Math.min(head[15], max));
  }
  return output;
};

/**
 * MEAN over height and width: the division is in the multiplier.
 *
 * @source TFLM reference_ops reduce.h, QuantizedMeanOrSum
 */
export const mean: Kernel = (layer, input) => {
  const channels = layer.shape[0];
  const output = new Int8Array(channels);
  let sum: number;
  for (let c = 0; c < channels; c++) {
    sum = (-layer.head[2] * input.length) / channels;
    for (let i = c; i < input.length; i += channels) sum += input[i];
    output[c] = requantise(sum, layer.multiplier[0], layer.right[0], layer.head[3]);
  }
  return output;
};
