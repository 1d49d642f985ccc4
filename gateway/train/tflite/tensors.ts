import type { Quantisation } from '../quant-layer.ts';
import { damaged } from './flat-table.ts';
import { type Operator, refused, type Tensor } from './graph.ts';

/** An int8 tensor that is computed: by which layer, -1 for the net's input. */
export interface Activation {
  layer: number;
  shape: number[];
  size: number;
  quantisation: Quantisation;
}

/** What has been computed so far, as the operators are followed in their order. */
export interface Activations {
  /** whether the file takes float32 */
  readonly float: boolean;
  /** What the int8 input stands for. */
  input(): Quantisation;
  find(tensor: Tensor): Activation | undefined;
  isFloatInput(tensor: Tensor | undefined): boolean;
  aliasFloat(tensor: Tensor): void;
  quantiseInput(tensor: Tensor): void;
  /** A tensor that a layer gives. */
  add(tensor: Tensor, layer: number): void;
  /** The same values under another name and shape. */
  alias(tensor: Tensor, source: Activation): void;
  /**
   * The n-th input of an operator.
   *
   * @throws GatewayError 'bad-model' if it is a constant, not computed yet, or not int8
   */
  int8(operator: Operator, n: number): Activation;
  /** @throws GatewayError 'bad-model' if the tensor is not int8 with one scale and zero point */
  quantisation(tensor: Tensor): Quantisation;
}

const CONVERT =
  'convert it with full-integer quantisation: a representative dataset, int8 operators only, int8 or float input and output';

/** What to say of a tensor that is not int8. */
function notInt8(tensor: Tensor): Error {
  const { name, type } = tensor;
  if (type === 'float32' || type === 'float16') {
    return refused(`'${name}' is ${type}: a float or dynamic-range model`, CONVERT);
  }
  return refused(`'${name}' is ${type}, devices compute in int8`, CONVERT);
}

/**
 * Scale and zero point of an activation.
 *
 * @throws GatewayError 'bad-model' if it is not int8 with one scale and zero point
 */
function quantisationOf(tensor: Tensor): Quantisation {
  if (tensor.type !== 'int8') throw notInt8(tensor);
  const { name, scale, zero } = tensor;
  const [one] = scale;
  const [at = 0] = zero;
  if (one === undefined) throw refused(`'${name}' is int8 without a scale`, CONVERT);
  if (scale.length > 1 || zero.length > 1) {
    throw refused(`'${name}' has ${scale.length} scales, an activation has one`, CONVERT);
  }
  if (!(one > 0 && one < Infinity) || !Number.isInteger(at) || at < -128 || at > 127) {
    throw damaged(`'${name}' has scale ${one} and zero point ${at}`);
  }
  return { scale: one, zero: at };
}

/**
 * Begins with the model's input, int8 or float32.
 *
 * @throws GatewayError 'bad-model' if it is a constant, another type, or no batch of 1
 */
export function openActivations(input: Tensor): Activations {
  if (input.data !== undefined) throw damaged('the input is a constant');
  if (input.shape.length === 0 || (input.shape.length > 1 && input.shape[0] !== 1)) {
    throw refused(`the input has the shape [${input.shape}]`, 'convert it for a batch of 1');
  }
  const known = new Map<number, Activation>();
  const floats = new Set<number>();
  let start: Quantisation | undefined;
  const float = input.type === 'float32';

  function put(tensor: Tensor, layer: number, quantisation: Quantisation): void {
    if (known.has(tensor.index) || floats.has(tensor.index)) {
      throw damaged(`'${tensor.name}' is written twice`);
    }
    const { shape, size } = tensor;
    known.set(tensor.index, { layer, shape, size, quantisation });
  }
  if (float) floats.add(input.index);
  else {
    start = quantisationOf(input);
    put(input, -1, start);
  }
  return {
    float,
    input() {
      if (start === undefined) throw refused('the float input is never quantised', CONVERT);
      return start;
    },
    find: (tensor) => known.get(tensor.index),
    isFloatInput: (tensor) => tensor !== undefined && floats.has(tensor.index),
    aliasFloat(tensor) {
      if (tensor.type !== 'float32') throw damaged(`'${tensor.name}' is ${tensor.type}`);
      if (known.has(tensor.index)) throw damaged(`'${tensor.name}' is written twice`);
      floats.add(tensor.index);
    },
    quantiseInput(tensor) {
      if (start !== undefined) throw refused('the input is quantised twice', CONVERT);
      if (tensor.size !== input.size) throw damaged('QUANTIZE changes a size');
      start = quantisationOf(tensor);
      put(tensor, -1, start);
    },
    add: (tensor, layer) => put(tensor, layer, quantisationOf(tensor)),
    alias(tensor, source) {
      if (tensor.size !== source.size) throw damaged(`'${tensor.name}' has ${tensor.size} values`);
      put(tensor, source.layer, source.quantisation);
    },
    int8(operator, n) {
      const tensor = operator.inputs[n];
      if (tensor === undefined) throw damaged(`${operator.name} has no input ${n}`);
      if (floats.has(tensor.index) || tensor.type !== 'int8') throw notInt8(tensor);
      if (tensor.data !== undefined) {
        throw refused(
          `${operator.name} reads the constant '${tensor.name}'`,
          'it must be computed',
        );
      }
      const found = known.get(tensor.index);
      if (found === undefined) throw damaged(`${operator.name} reads '${tensor.name}' too early`);
      return found;
    },
    quantisation: quantisationOf,
  };
}
