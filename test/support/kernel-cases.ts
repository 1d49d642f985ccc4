import { readFileSync } from 'node:fs';
import type { DeviceLayer } from '../../gateway/train/quant-layer.ts';

/** One operator with inputs and the outputs that TensorFlow Lite Micro gave for them. */
export interface KernelCase {
  name: string;
  layer: DeviceLayer;
  /** real scales of input, weights and output; absent for pools */
  scales: { input: number; weights: number[]; output: number } | undefined;
  input: number[][];
  output: number[][];
}

// biome-ignore lint/suspicious/noExplicitAny: rows of a JSON file
function toLayer(type: string, row: any): DeviceLayer {
  const { name: _, input: _i, output: _o, ...rest } = row;
  if (type === 'pool') return rest;
  return {
    ...rest,
    type,
    weights: Int8Array.from(row.weights),
    bias: Int32Array.from(row.bias),
    multiplier: Int32Array.from(row.multiplier),
    shift: Int32Array.from(row.shift),
  };
}

/** The golden vectors of test/vectors/kernel, by operator. */
export function kernelCases(type: 'dense' | 'conv1d' | 'pool'): KernelCase[] {
  const url = new URL(`../vectors/kernel/${type}.json`, import.meta.url);
  // biome-ignore lint/suspicious/noExplicitAny: rows of a JSON file
  return JSON.parse(readFileSync(url, 'utf8')).cases.map((row: any) => ({
    name: row.name,
    layer: toLayer(type, row),
    scales:
      type === 'pool'
        ? undefined
        : { input: row.inputScale, weights: row.weightScale, output: row.outputScale },
    input: row.input,
    output: row.output,
  }));
}

/** The loop every kernel tier must agree with. */
export function dot(a: Int8Array | Int16Array, b: Int8Array | Int16Array): number {
  if (a.length === 0 || a.length !== b.length)
    throw new Error(`dot of ${a.length} and ${b.length}`);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
