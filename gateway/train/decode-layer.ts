import { align } from '../../device/core/model.ts';
import {
  ACTIVATIONS,
  FIRST_PLANE,
  foldedTerms,
  HEADER,
  KEPT,
  PLANE_HEADER,
  TYPES,
} from './layer-form.ts';
import type { Quantisation, QuantLayer } from './quant-layer.ts';

/** A layer, and where the next one begins. */
interface Decoded {
  layer: QuantLayer;
  end: number;
}

/**
 * Reads one layer of a part.
 *
 * @param view of the whole part
 * @param at where the layer begins
 * @param i its index
 * @throws RangeError if its type or activation is unknown, or the part ends within it
 */
export function decodeLayer(view: DataView, at: number, i: number): Decoded {
  const code = view.getUint8(at);
  const type = TYPES[code];
  if (code === 0 || type === undefined) throw new RangeError(`layer ${i} has unknown type ${code}`);
  const [channels, channelsOut, width] = [4, 6, 8].map((o) => view.getUint16(at + o, true)) as [
    number,
    number,
    number,
  ];
  const [kernelWidth, strideWidth] = [view.getUint8(at + 12), view.getUint8(at + 13)];
  const plane = code >= FIRST_PLANE;
  const height = plane ? view.getUint16(at + 20, true) : 1;
  const [kernelHeight, strideHeight] = plane
    ? [view.getUint8(at + 24), view.getUint8(at + 25)]
    : [1, 1];
  const padding = paddingOf(view, at, plane, kernelHeight, strideHeight);
  const sliding = { height, width, channels, kernelHeight, kernelWidth, strideHeight, strideWidth };
  const activation = ACTIVATIONS[view.getUint8(at + 17) % KEPT];
  if (activation === undefined) throw new RangeError(`layer ${i} has an unknown activation`);
  const wired = {
    ...(view.getUint8(at + 18) > 0 && { from: i - 1 - view.getUint8(at + 18) }),
  };
  const arrays = at + (plane ? PLANE_HEADER : HEADER);
  const zeroIn = view.getInt8(at + 2);
  const zeroOut = view.getInt8(at + 3);

  const read = (start: number, n: number): number[] =>
    Array.from({ length: n }, (_, k) => view.getFloat32(start + 4 * k, true));
  const quantised = (scale: number | undefined, zero: number): Quantisation => ({
    scale: scale ?? 0,
    zero,
  });

  if (type === 'dense' || type === 'conv1d' || type === 'conv2d' || type === 'depthwise2d') {
    const perRow = type === 'depthwise2d' ? 1 : channels;
    const size = (type === 'dense' ? 1 : kernelHeight * kernelWidth) * perRow;
    const units = view.getUint8(at + 16) === 1 ? channelsOut : 1;
    const biasAt = align(arrays + size * channelsOut);
    const scaleAt = align(biasAt + 4 * channelsOut + 5 * units);
    const [inputScale, outputScale, ...weightScale] = read(scaleAt, 2 + units);
    const input = quantised(inputScale, zeroIn);
    const weights = new Int8Array(view.buffer, arrays, size * channelsOut).slice();
    const bias = Int32Array.from(foldedTerms({ weights, input }, size), (term, row) => {
      return view.getInt32(biasAt + 4 * row, true) + term;
    });
    const numbers = {
      weights,
      bias,
      weightScale: Float32Array.from(weightScale),
      input,
      output: quantised(outputScale, zeroOut),
      activation,
      ...wired,
    };
    const end = scaleAt + 4 * (2 + units);
    if (type === 'dense') {
      return { layer: { type, inputs: channels, outputs: channelsOut, ...numbers }, end };
    }
    if (type === 'depthwise2d') {
      const depthMultiplier = view.getUint8(at + 27);
      return { layer: { type, ...sliding, padding, depthMultiplier, ...numbers }, end };
    }
    const filters = channelsOut;
    return { layer: { type: 'conv2d', ...sliding, padding, filters, ...numbers }, end };
  }
  if (/pool/.test(type)) {
    const [scale] = read(arrays, 1);
    const kind = type.startsWith('max') ? 'maxpool2d' : 'avgpool2d';
    const input = quantised(scale, zeroIn);
    return {
      layer: { type: kind, ...sliding, padding, input, activation, ...wired },
      end: arrays + 4,
    };
  }
  if (type === 'mean') {
    const [scale, outputScale] = read(arrays + 8, 2);
    const [input, output] = [quantised(scale, zeroIn), quantised(outputScale, zeroOut)];
    return {
      layer: { type, height, width, channels, input, output, ...wired },
      end: arrays + 16,
    };
  }
  if (type === 'add') {
    const [scale, scale2, outputScale] = read(arrays + 16, 3);
    return {
      layer: {
        type,
        size: channels,
        from2: i - 1 - view.getUint8(at + 19),
        input: quantised(scale, zeroIn),
        input2: quantised(scale2, view.getInt8(at + 14)),
        output: quantised(outputScale, zeroOut),
        activation,
        ...wired,
      },
      end: arrays + 28,
    };
  }
  if (type === 'softmax') {
    const [scale, beta = 1] = read(arrays + 12, 2);
    return {
      layer: { type, size: channels, input: quantised(scale, zeroIn), beta, ...wired },
      end: arrays + 20,
    };
  }
  const [scale, outputScale] = read(arrays + 256, 2);
  return {
    layer: {
      type: type as 'logistic' | 'quantise',
      size: channels,
      input: quantised(scale, zeroIn),
      output: quantised(outputScale, zeroOut),
      ...wired,
    },
    end: arrays + 264,
  };
}

/** VALID where its lengths are those of VALID: then SAME would have added nothing. */
function paddingOf(
  view: DataView,
  at: number,
  plane: boolean,
  kernelHeight: number,
  strideHeight: number,
): 'same' | 'valid' {
  const valid = (length: number, kernel: number, stride: number, out: number): boolean =>
    out === Math.ceil((length - kernel + 1) / stride);
  const [width, widthOut] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  const across = valid(width, view.getUint8(at + 12), view.getUint8(at + 13), widthOut);
  if (!plane) return across ? 'valid' : 'same';
  const [height, heightOut] = [view.getUint16(at + 20, true), view.getUint16(at + 22, true)];
  return across && valid(height, kernelHeight, strideHeight, heightOut) ? 'valid' : 'same';
}
