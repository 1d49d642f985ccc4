import { openLiteRt } from '../runtimes/litert.ts';

/** Runs one model on int8 numbers, as another runtime does. */
export type PeerRunner = (input: Int8Array) => Int8Array | Promise<Int8Array>;

/** A peer, or why it does not load, one line. */
export type Peer = { run: PeerRunner; close: () => void } | { skipped: string };

/**
 * LiteRT (XNNPACK in WebAssembly), one thread.
 *
 * @param tflite a model of int8 input and output
 * @returns a runner, or why there is none
 */
export async function litertRunner(tflite: Uint8Array): Promise<Peer> {
  try {
    const { run, close } = await openLiteRt(tflite);
    return {
      run: (values) =>
        new Int8Array(run(new Uint8Array(values.buffer, values.byteOffset, values.length)).buffer),
      close,
    };
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
