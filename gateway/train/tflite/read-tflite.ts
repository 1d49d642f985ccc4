import { encodeLayers } from '../layer-codec.ts';
import { macsOf } from '../model-summary.ts';
import {
  effectiveScales,
  type Quantisation,
  type QuantLayer,
  quantiseMultiplier,
} from '../quant-layer.ts';
import { damaged } from './flat-table.ts';
import { type Graph, type Operator, readGraph, refused } from './graph.ts';
import { lowerOperator } from './lower.ts';
import { type Activations, openActivations } from './tensors.ts';

/** One end of a model. */
export interface Edge {
  /** all dimensions, the batch of 1 included */
  shape: number[];
  /** what the int8 numbers inside stand for */
  quantisation: Quantisation;
  /** whether the file takes or gives float32 here, and QUANTIZE or DEQUANTIZE stands at the edge */
  float: boolean;
}

/** What a .tflite file computes, in Whetstone's terms. */
export interface TfliteModel {
  layers: QuantLayer[];
  input: Edge;
  output: Edge;
  /** buffers that travel with the model, by name */
  metadata: Record<string, Uint8Array>;
  /** what was read otherwise than it stands in the file, for people */
  notes: string[];
}

/** More multiplications than any microcontroller makes of a window. */
const MOST_MACS = 2 ** 28;
/** Weights in all; a file may name the same buffer often. */
const MOST_WEIGHTS = 16 * 2 ** 20;

/**
 * Reads an int8 .tflite file: of Keras, of Edge Impulse, of a model zoo, or of `whetstone export`.
 *
 * What runs is equal, bit for bit, to TensorFlow Lite Micro's reference kernels on the same file.
 * Shapes that only fold a tensor (RESHAPE, EXPAND_DIMS, SQUEEZE) are no layers; a dilated kernel
 * becomes one with zeros between its weights.
 *
 * @param bytes the whole file
 * @returns its layers, as the model is encoded from
 * @throws GatewayError 'bad-model' that says what is damaged or not supported, and what to do
 */
export function readTflite(bytes: Uint8Array): TfliteModel {
  let graph: Graph;
  try {
    graph = readGraph(bytes);
  } catch (error) {
    // a DataView's own check, where ours would have let something pass
    if (error instanceof RangeError) throw damaged(error.message);
    throw error;
  }
  const made = openActivations(graph.input);
  const layers: QuantLayer[] = [];
  const notes: string[] = [];
  let float = false;
  let macs = 0;
  let weights = 0;
  for (const operator of graph.operators) {
    if (float)
      throw refused(`${operator.name} follows DEQUANTIZE`, 'float belongs to the edges only');
    if (operator.output.data !== undefined) throw damaged(`${operator.name} writes a constant`);
    if (isFold(operator)) {
      fold(operator, made);
    } else if (operator.name === 'DEQUANTIZE') {
      made.alias(operator.output, made.int8(operator, 0));
      float = true;
    } else if (operator.name === 'QUANTIZE' && made.isFloatInput(operator.inputs[0])) {
      made.quantiseInput(operator.output);
    } else {
      const layer = lowerOperator(operator, made, layers.length, notes);
      layers.push(layer);
      made.add(operator.output, layers.length - 1);
      macs += macsOf(layer);
      weights += 'weights' in layer ? layer.weights.length : 0;
      if (macs > MOST_MACS || weights > MOST_WEIGHTS) {
        throw refused('the model is larger than a microcontroller runs', `${macs} multiplications`);
      }
    }
  }
  return finish(graph, layers, made, float, notes);
}

function isFold({ name }: Operator): boolean {
  return name === 'RESHAPE' || name === 'EXPAND_DIMS' || name === 'SQUEEZE';
}

function fold(operator: Operator, made: Activations): void {
  const { output } = operator;
  const [input] = operator.inputs;
  if (input === undefined || input.size !== output.size) {
    throw damaged(`${operator.name} makes ${output.size} values of ${input?.size ?? 0}`);
  }
  if (made.isFloatInput(input)) {
    made.aliasFloat(output);
    return;
  }
  const source = made.int8(operator, 0);
  const { scale, zero } = made.quantisation(output);
  if (scale !== source.quantisation.scale || zero !== source.quantisation.zero) {
    throw refused(`${operator.name} gives '${output.name}' another scale than it reads`);
  }
  made.alias(output, source);
}

/**
 * Refuses sums that may leave int32, before or after they are shifted left: runtimes wrap, saturate or
 * go on, and none of them is right.
 */
function checkSums(layer: QuantLayer, i: number): void {
  if (!('weights' in layer)) return;
  const { weights, bias, weightScale, input } = layer;
  const size = weights.length / bias.length;
  const reach = Math.max(127 - input.zero, input.zero + 128);
  const factors = effectiveScales(layer).map(quantiseMultiplier);
  bias.forEach((start, row) => {
    const of = weights.subarray(row * size, (row + 1) * size);
    const most = of.reduce((sum, w) => sum + Math.abs(w) * reach, Math.abs(start));
    const { shift } = factors[weightScale.length === 1 ? 0 : row]!;
    if (most * 2 ** Math.max(0, shift) >= 2 ** 31) {
      throw refused(
        `layer ${i} (${layer.type}) may sum up to ${most} steps, more than 32 bits hold when scaled`,
        'convert it with a representative dataset, so that scales fit what the layers give',
      );
    }
  });
}

function finish(
  graph: Graph,
  layers: QuantLayer[],
  made: Activations,
  float: boolean,
  notes: string[],
): TfliteModel {
  const { output } = graph;
  const last = made.find(output);
  if (layers.length === 0 || last === undefined || last.layer !== layers.length - 1) {
    throw refused(
      layers.length === 0
        ? 'the model has no layer'
        : 'its output is not what its last layer gives',
      'convert the model with its last layer as the only output',
    );
  }
  if (float !== (output.type === 'float32')) throw damaged(`the output is ${output.type}`);
  try {
    encodeLayers(layers, 0);
  } catch (error) {
    if (error instanceof RangeError)
      throw refused(`the model does not fit a device: ${error.message}`);
    throw error;
  }
  layers.forEach(checkSums);
  return {
    layers,
    input: { shape: graph.input.shape, quantisation: made.input(), float: made.float },
    output: { shape: output.shape, quantisation: last.quantisation, float },
    metadata: graph.metadata,
    notes,
  };
}
