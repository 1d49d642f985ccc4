import { readFileSync } from 'node:fs';

/** A whole model's outputs in TensorFlow Lite Micro for seeded inputs. */
export interface ModelCase {
  /** in the shared recordings, or of the exports that were compared */
  file: string;
  /** of the .tflite file */
  sha256: string;
  seed: number;
  /** how many */
  inputs: number;
  type: 'int8' | 'float32';
  /** of a float model: a step of its first int8 tensor */
  scale?: number;
  /** of all outputs, one after another, int8 or little-endian float32 */
  outputSha256: string;
  /** of what goes into the SOFTMAX that a model ends with */
  logitsSha256?: string;
  /** the first outputs */
  output: number[][];
  litert?: Agreement;
  onnxSha256?: string;
  onnxruntime?: Agreement;
}

/** How near another runtime's int8 outputs are to TensorFlow Lite Micro's. */
export interface Agreement {
  /** share of equal values, 0 to 1 */
  equal: number;
  largestStep: number;
}

/** The cases of test/vectors/models.json or trained.json. */
export function modelCases(file: 'models' | 'trained'): ModelCase[] {
  const url = new URL(`../vectors/${file}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')).models;
}

/** mulberry32: uint32 numbers of a seed. */
function numbers(seed: number): () => number {
  let s = seed | 0;
  return () => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/**
 * The inputs that a model's outputs were taken for.
 *
 * @param size values of one input
 * @returns as many as the case says; int8 or float32
 * @source test/vectors/models.json, origin
 */
export function modelInputs(model: ModelCase, size: number): (Int8Array | Float32Array)[] {
  const next = numbers(model.seed);
  const { scale } = model;
  return Array.from({ length: model.inputs }, (_, i) => {
    const first = next();
    const k = i % 8;
    if (scale === undefined) {
      const centre = k === 0 ? 0 : (first >>> 24) - 128;
      return Int8Array.from({ length: size }, () =>
        Math.max(-128, Math.min(127, centre + (((next() >>> 24) - 128) >> k))),
      );
    }
    const real = (u: number) => (u / 2 ** 32) * 288 - 144;
    const centre = k === 0 ? 0 : real(first);
    return Float32Array.from({ length: size }, () => (centre + real(next()) / 2 ** k) * scale);
  });
}
