import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';

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

/** A .tflite file in LiteRT: bytes of its input tensor in, bytes of its output tensor out. */
export interface LiteRtRunner {
  inputBytes: number;
  run(input: Uint8Array): Uint8Array;
  close(): void;
}

/**
 * Opens a .tflite file in LiteRT (XNNPACK in WebAssembly), one thread.
 *
 * @param tflite a model of one input and one output
 * @throws whatever LiteRT says of the file; MODULE_NOT_FOUND where it is not installed
 */
export async function openLiteRt(tflite: Uint8Array): Promise<LiteRtRunner> {
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
  const inputBytes = type.bytes();
  const input = wasm.LiteRtTensorBuffer.createManaged(
    environment,
    wasm.LiteRtTensorBufferType.HOST_MEMORY,
    type,
    inputBytes,
  );
  type.delete();
  const { READ, WRITE } = wasm.LiteRtTensorBufferLockMode;
  return {
    inputBytes,
    run(bytes) {
      if (bytes.length !== inputBytes) throw new RangeError(`the input has ${inputBytes} bytes`);
      wasm.HEAPU8.set(bytes, input.lock(WRITE));
      input.unlock();
      const [output, ...rest] = compiled.run(0, [input]);
      if (output === undefined || rest.length > 0) throw new TypeError('a model of one output');
      const start = output.lock(READ);
      const result = wasm.HEAPU8.slice(start, start + output.packedSize());
      output.unlock();
      output.delete();
      return result;
    },
    close() {
      for (const handle of [input, compiled, model, environment]) handle.delete();
      wasm._free(at);
    },
  };
}
