import type { QuantLayer } from '../quant-layer.ts';
import type { Fields } from './flat-writer.ts';
import * as s from './schema.ts';

/**
 * Options of the operator that computes a layer.
 *
 * @returns their kind in the union and their fields; undefined for an operator without any
 */
export function optionsOf(layer: QuantLayer): [kind: number, fields: Fields] | undefined {
  const activation = 'activation' in layer ? codeOf(layer.activation) : 0;
  if (layer.type === 'dense') {
    return [s.OPTIONS.dense, { [s.DENSE.activation]: ['int8', activation] }];
  }
  if (layer.type === 'add') return [s.OPTIONS.add, { [s.ADD.activation]: ['int8', activation] }];
  if (layer.type === 'mean') return [s.OPTIONS.reducer, { [s.REDUCER.keepDims]: ['bool', false] }];
  if (layer.type === 'softmax') {
    return [s.OPTIONS.softmax, { [s.SOFTMAX.beta]: ['float32', layer.beta] }];
  }
  if (!('kernelHeight' in layer)) return undefined;
  const moves: Fields = {
    [s.POOL.padding]: ['int8', s.PADDINGS.indexOf(layer.padding)],
    [s.POOL.strideWidth]: ['int32', layer.strideWidth],
    [s.POOL.strideHeight]: ['int32', layer.strideHeight],
  };
  if (layer.type === 'conv2d') {
    return [
      s.OPTIONS.conv,
      {
        ...moves,
        [s.CONV.activation]: ['int8', activation],
        [s.CONV.dilationWidth]: ['int32', 1],
        [s.CONV.dilationHeight]: ['int32', 1],
      },
    ];
  }
  if (layer.type === 'depthwise2d') {
    return [
      s.OPTIONS.depthwise,
      {
        ...moves,
        [s.DEPTHWISE.depthMultiplier]: ['int32', layer.depthMultiplier],
        [s.DEPTHWISE.activation]: ['int8', activation],
        [s.DEPTHWISE.dilationWidth]: ['int32', 1],
        [s.DEPTHWISE.dilationHeight]: ['int32', 1],
      },
    ];
  }
  return [
    s.OPTIONS.pool,
    {
      ...moves,
      [s.POOL.kernelWidth]: ['int32', layer.kernelWidth],
      [s.POOL.kernelHeight]: ['int32', layer.kernelHeight],
      [s.POOL.activation]: ['int8', activation],
    },
  ];
}

function codeOf(activation: string): number {
  const [code = 0] = Object.entries(s.ACTIVATIONS).find(([, name]) => name === activation) ?? [];
  return Number(code);
}
