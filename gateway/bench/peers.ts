import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';

/** Runs one model on int8 numbers, as another runtime does. */
export type PeerRunner = (input: Int8Array) => Int8Array | Promise<Int8Array>;

/** A peer, or why it does not load, one line. */
export type Peer = { run: PeerRunner; close: () => void } | { skipped: string };

const require = createRequire(import.meta.url);

/** What of LiteRT's WebAssembly module is used; its handles want to be deleted. */
interface LiteRt {
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(at: number): void;
  setupLogging(): void;
  getThreadCount(): number;
  LiteRtEnvironment: { create(gpu: null): Handle };
  LiteRtTensorBuffer: {
    createManaged(environment: Handle, type: unknown, tensor: TensorType, bytes: number): Buffered;
  };
  LiteRtTensorBufferType: { HOST_MEMORY: unknown };
  LiteRtTensorBufferLockMode: { READ: unknown; WRITE: unknown };
  loadModel(environment: Handle, at: number, bytes: number): LiteRtModel;
  compileModel(environment: Handle, model: Handle, options: object): Compiled | Promise<Compiled>;
}
interface Handle {
  delete(): void;
}
interface TensorType extends Handle {
  bytes(): number;
}
interface LiteRtModel extends Handle {
  getInputTensorType(signature: number, input: number): TensorType;
}
interface Buffered extends Handle {
  lock(mode: unknown): number;
  unlock(): void;
  packedSize(): number;
}
interface Compiled extends Handle {
  run(signature: number, inputs: Buffered[]): Buffered[];
}

let liteRt: Promise<LiteRt> | undefined;

/**
 * LiteRT's own WebAssembly build, from the package for browsers. Its loader wants a page, and its
 * tensors have no int8: the module inside has both.
 */
function loadLiteRt(): Promise<LiteRt> {
  const folder = join(dirname(require.resolve('@litertjs/core')), '..', 'wasm');
  const file = join(folder, 'litert_wasm_internal.js');
  const code = `${readFileSync(file, 'utf8')}\nreturn ModuleFactory;`;
  const factory = compileFunction(code, ['require', '__filename', '__dirname'], { filename: file });
  const quiet = { print: () => {}, printErr: () => {} };
  return factory(require, file, folder)(quiet) as Promise<LiteRt>;
}

/**
 * LiteRT (XNNPACK in WebAssembly), one thread.
 *
 * @param tflite a model of int8 input and output
 * @returns a runner, or why there is none
 */
export async function litertRunner(tflite: Uint8Array): Promise<Peer> {
  try {
    liteRt ??= loadLiteRt();
    const wasm = await liteRt;
    const environment = wasm.LiteRtEnvironment.create(null);
    const at = wasm._malloc(tflite.length);
    wasm.HEAPU8.set(tflite, at);
    const model = wasm.loadModel(environment, at, tflite.length);
    const compiled = await wasm.compileModel(environment, model, {
      environment,
      accelerator: 'wasm',
      cpuOptions: { numThreads: 1 },
      gpuOptions: {},
      webNNOptions: {},
    });
    const type = model.getInputTensorType(0, 0);
    const input = wasm.LiteRtTensorBuffer.createManaged(
      environment,
      wasm.LiteRtTensorBufferType.HOST_MEMORY,
      type,
      type.bytes(),
    );
    type.delete();
    const { READ, WRITE } = wasm.LiteRtTensorBufferLockMode;
    const run: PeerRunner = (values) => {
      wasm.HEAPU8.set(values, input.lock(WRITE)); // modulo 256: the same bytes
      input.unlock();
      const [output, ...rest] = compiled.run(0, [input]);
      if (output === undefined || rest.length > 0) throw new TypeError('a model of one output');
      const start = output.lock(READ);
      const bytes = wasm.HEAPU8.slice(start, start + output.packedSize());
      output.unlock();
      output.delete();
      return new Int8Array(bytes.buffer);
    };
    const close = (): void => {
      for (const handle of [input, compiled, model, environment]) handle.delete();
      wasm._free(at);
    };
    return { run, close };
  } catch (error) {
    return skipped('@litertjs/core', error);
  }
}

/**
 * ONNX Runtime in WebAssembly, one thread, its QDQ nodes fused to int8.
 *
 * @param onnx a model of int8 input and output
 * @returns a runner, or why there is none
 */
export async function onnxRunner(onnx: Uint8Array): Promise<Peer> {
  try {
    const { InferenceSession, Tensor, env } = await import('onnxruntime-web');
    env.wasm.numThreads = 1;
    env.logLevel = 'error';
    const session = await InferenceSession.create(onnx, {
      executionProviders: ['wasm'],
      graphOptimizationLevel: 'all',
      // else it computes the first and the last layer in float32: only those are int8 by its own choice
      extra: { session: { qdqisint8allowed: '1' } },
    });
    const [name = ''] = session.inputNames;
    const [output = ''] = session.outputNames;
    const [edge] = session.inputMetadata;
    if (edge?.isTensor !== true) throw new TypeError('a model of one tensor');
    const shape = edge.shape.map(Number);
    return {
      async run(values) {
        const results = await session.run({ [name]: new Tensor('int8', values, shape) });
        return results[output]!.data as Int8Array;
      },
      close: () => void session.release(),
    };
  } catch (error) {
    return skipped('onnxruntime-web', error);
  }
}

function skipped(name: string, error: unknown): { skipped: string } {
  const { code, message } = error as NodeJS.ErrnoException;
  const missing = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
  const why = missing
    ? 'is not installed (node setup.js --test brings it)'
    : `does not load: ${String(message ?? error).split('\n')[0]}`;
  return { skipped: `${name} ${why}` };
}
