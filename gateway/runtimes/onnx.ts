import type * as Ort from 'onnxruntime-web';
import { GatewayError } from '../errors.ts';
import type { ModelRunner } from './model-runner.ts';

/** The native one is faster and knows accelerators; the one in WebAssembly runs everywhere. */
const RUNTIMES = ['onnxruntime-node', 'onnxruntime-web'] as const;

interface Runtime {
  ort: typeof Ort;
  name: (typeof RUNTIMES)[number];
}

let found: Runtime | undefined;

async function loadRuntime(): Promise<Runtime> {
  if (found !== undefined) return found; // to look for what is not installed reads the disk each time
  for (const name of RUNTIMES) {
    try {
      found = { ort: (await import(name)) as typeof Ort, name };
      return found;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    }
  }
  throw new GatewayError('missing-tool', 'an .onnx file needs ONNX Runtime', {
    hint: `install it beside Whetstone: npm install --no-save ${RUNTIMES.join(' (or ')})`,
  });
}

/** What a file claims of itself may turn out to be wrong when it is opened, or not before it runs. */
function refused(cause: Error): never {
  const said = String(cause.message ?? cause).split('\n')[0];
  throw new GatewayError('bad-model', `ONNX Runtime does not run the file: ${said}`, { cause });
}

/**
 * Opens an .onnx file in ONNX Runtime, on one thread of the processor.
 *
 * @param bytes a model of one input and one output, float32, whose shape is fixed but for its batch
 * @throws GatewayError 'bad-model' if it is none; 'missing-tool' if no ONNX Runtime is installed
 */
export async function openOnnx(bytes: Uint8Array): Promise<ModelRunner> {
  const { ort, name } = await loadRuntime();
  const isWeb = name === 'onnxruntime-web';
  if (isWeb) {
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = 'error';
  }
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: [isWeb ? 'wasm' : 'cpu'],
    intraOpNumThreads: 1,
    logSeverityLevel: 3, // what it only warns of is the file's, and it would fill a gateway's console
  }).catch(refused);
  const [input, ...more] = session.inputMetadata;
  const [output, ...others] = session.outputMetadata;
  const refuse = async (problem: string): Promise<never> => {
    await session.release();
    throw new GatewayError('bad-model', problem, {
      hint: 'export it with one float32 input and one float32 output, of fixed shapes',
    });
  };
  if (!input?.isTensor || !output?.isTensor || more.length + others.length > 0) {
    return refuse(
      `the model has ${session.inputNames.length} inputs and ${session.outputNames.length} outputs`,
    );
  }
  if (input.type !== 'float32' || output.type !== 'float32') {
    return refuse(`the model takes ${input.type} and gives ${output.type}`);
  }
  // a name, or a number below 1, stands for a size that is free: the batch may be
  const fixed = (shape: readonly (number | string)[]): number[] =>
    shape.map((size, k) =>
      typeof size === 'number' && size > 0 ? size : k === 0 ? 1 : Number.NaN,
    );
  const shape = fixed(input.shape);
  const outputs = fixed(output.shape).reduce((product, n) => product * n, 1);
  if (shape.some(Number.isNaN) || Number.isNaN(outputs)) {
    return refuse(`the model's shapes [${input.shape}] and [${output.shape}] are not fixed`);
  }
  return {
    ...{ runtime: name, shape, outputs },
    async run(values) {
      const given = { [input.name]: new ort.Tensor('float32', values, shape) };
      const quiet = { logSeverityLevel: 4 } as const; // an error is thrown as well
      const { data } = (await session.run(given, quiet).catch(refused))[output.name]!;
      if (data.length === outputs) return data as Float32Array;
      throw new GatewayError('bad-model', `the model gives ${data.length} numbers, not ${outputs}`);
    },
    close: () => void session.release(),
  };
}
