import type { Quantisation } from '../quant-layer.ts';
import { type Fields, writeFlat } from './flat-writer.ts';
import * as s from './schema.ts';

/** A tensor on its way into the file. */
export interface Made {
  shape: number[];
  type: number;
  name: string;
  quantisation?: Quantisation;
  /** constants */
  data?: Uint8Array;
  scales?: Float32Array;
  dimension?: number;
}

/** The graph of a file. */
export interface MadeGraph {
  tensors: Made[];
  operators: Fields[];
  input: number;
  output: number;
}

/**
 * Puts a file together.
 *
 * @param graph its tensors and operators, in their order
 * @param codes operators with their versions, as the operators' opcode counts them
 * @param metadata buffers by name
 */
export function assemble(
  { tensors, operators, input, output }: MadeGraph,
  codes: [name: string, version: number][],
  metadata: Record<string, Uint8Array>,
): Uint8Array {
  const buffers: Fields[] = [{}]; // the first stands for 'no numbers'
  const store = (data: Uint8Array): number =>
    buffers.push({ [s.BUFFER.data]: ['bytes', data] }) - 1;
  const tensorTables = tensors.map(
    (made): Fields => ({
      [s.TENSOR.shape]: ['int32s', made.shape],
      [s.TENSOR.type]: ['int8', made.type],
      [s.TENSOR.buffer]: ['uint32', made.data === undefined ? 0 : store(made.data)],
      [s.TENSOR.name]: ['text', made.name],
      ...quantizationOf(made),
      [s.TENSOR.hasRank]: ['bool', true],
    }),
  );
  const graph: Fields = {
    [s.SUBGRAPH.tensors]: ['tables', tensorTables],
    [s.SUBGRAPH.inputs]: ['int32s', [input]],
    [s.SUBGRAPH.outputs]: ['int32s', [output]],
    [s.SUBGRAPH.operators]: ['tables', operators],
    [s.SUBGRAPH.name]: ['text', 'main'],
  };
  const operatorCodes = codes.map(([name, version]): Fields => {
    const code = s.CODE[name as keyof typeof s.CODE];
    return {
      [s.OPERATOR_CODE.deprecatedCode]: ['int8', code],
      [s.OPERATOR_CODE.version]: ['int32', version],
      [s.OPERATOR_CODE.code]: ['int32', code],
    };
  });
  const entries = Object.entries(metadata).map(
    ([name, data]): Fields => ({
      [s.METADATA.name]: ['text', name],
      [s.METADATA.buffer]: ['uint32', store(data)],
    }),
  );
  const root: Fields = {
    [s.MODEL.version]: ['uint32', s.SCHEMA_VERSION],
    [s.MODEL.operatorCodes]: ['tables', operatorCodes],
    [s.MODEL.subgraphs]: ['tables', [graph]],
    [s.MODEL.description]: ['text', 'Whetstone'],
    [s.MODEL.buffers]: ['tables', buffers],
    [s.MODEL.metadata]: ['tables', entries],
  };
  return writeFlat(root, s.IDENTIFIER);
}

function quantizationOf({ quantisation, scales, dimension }: Made): Fields {
  const scale = scales ?? (quantisation && Float32Array.of(quantisation.scale));
  if (scale === undefined) return {};
  const zero = quantisation?.zero ?? 0;
  return {
    [s.TENSOR.quantization]: [
      'table',
      {
        [s.QUANTIZATION.scale]: ['float32s', scale],
        [s.QUANTIZATION.zeroPoint]: ['int64s', Array.from(scale, () => zero)],
        [s.QUANTIZATION.dimension]: ['int32', dimension ?? 0],
      },
    ],
  };
}
