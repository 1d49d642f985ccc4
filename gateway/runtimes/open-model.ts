import { GatewayError } from '../errors.ts';
import { type Graph, readGraph, type Tensor } from '../train/tflite/graph.ts';
import { readTflite, type TfliteModel } from '../train/tflite/read-tflite.ts';
import { dequantiseOutput, layerRunner, quantiseInput } from '../train/tflite/run-tflite.ts';
import { type LiteRtRunner, openLiteRt } from './litert.ts';
import type { ModelRunner } from './model-runner.ts';
import { openOnnx } from './onnx.ts';

/**
 * Opens a model file to be run on one tensor of floats: the one way to every runtime.
 *
 * An int8 .tflite file whose operators a device can run is run by the device's own kernel, as TensorFlow
 * Lite Micro would; any other .tflite by LiteRT, and .onnx by ONNX Runtime, of which the native one goes
 * before the one in WebAssembly. The last three are not installed with the gateway.
 *
 * @param bytes the whole file; of one input and one output
 * @throws GatewayError 'bad-model' if it is neither, or no runtime takes it; 'missing-tool' if the one that would is not
 *   installed, with what installs it
 */
export function openModel(bytes: Uint8Array): Promise<ModelRunner> {
  const isTflite = String.fromCharCode(...bytes.subarray(4, 8)) === 'TFL3';
  if (isTflite) return openTflite(bytes);
  if (mayBeOnnx(bytes)) return openOnnx(bytes);
  const problem = new GatewayError('bad-model', 'the file is no model', {
    hint: 'a .tflite or an .onnx file is wanted: was it copied whole?',
  });
  return Promise.reject(problem);
}

/** First bytes of a ModelProto: a field of it that has been given out, with its wire type. */
const ONNX_FIRST = [0x08, 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72, 0xa2, 0xca];

/**
 * Whether it is worth while to load, or to ask for, a runtime for it.
 *
 * @source onnx.proto: fields 1 to 8, 14, 20 and 25 of ModelProto; 1 and 5 are numbers
 */
const mayBeOnnx = (bytes: Uint8Array): boolean => ONNX_FIRST.includes(bytes[0]!);

async function openTflite(bytes: Uint8Array): Promise<ModelRunner> {
  let read: TfliteModel;
  try {
    read = readTflite(bytes);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return inLiteRt(bytes, error);
  }
  const { input, output, layers } = read;
  const infer = layerRunner(layers);
  const outputs = output.shape.reduce((product, n) => product * n, 1);
  return {
    ...{ runtime: 'whetstone', shape: input.shape, outputs },
    run: async (values) =>
      dequantiseOutput(infer(quantiseInput(values, input.quantisation)), output.quantisation),
    close: () => {},
  };
}

/**
 * Opens a .tflite file in LiteRT.
 *
 * @param why our own kernel does not take it
 * @throws as {@link openModel}
 */
export async function inLiteRt(bytes: Uint8Array, why: GatewayError): Promise<ModelRunner> {
  const graph = readGraph(bytes);
  let runner: LiteRtRunner;
  try {
    runner = await openLiteRt(bytes);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'MODULE_NOT_FOUND') {
      throw new GatewayError('missing-tool', `only LiteRT runs this .tflite file: ${why.message}`, {
        cause,
        hint: 'install it beside Whetstone: npm install --no-save @litertjs/core',
      });
    }
    const said = String(message ?? cause).split('\n')[0];
    throw new GatewayError('bad-model', `LiteRT does not run the file: ${said}`, { cause });
  }
  return {
    ...{ runtime: 'litert', shape: graph.input.shape, outputs: graph.output.size },
    run: async (values) => fromBytes(runner.run(toBytes(values, graph)), graph.output),
    close: runner.close,
  };
}

function toBytes(values: Float32Array, { input }: Graph): Uint8Array {
  if (input.type === 'float32') return new Uint8Array(values.slice().buffer);
  if (input.type !== 'int8') throw edge('input', input);
  const quantisation = { scale: input.scale[0]!, zero: input.zero[0]! };
  return new Uint8Array(quantiseInput(values, quantisation).buffer);
}

function fromBytes(bytes: Uint8Array, output: Tensor): Float32Array {
  if (output.type === 'float32') return new Float32Array(bytes.buffer);
  if (output.type !== 'int8') throw edge('output', output);
  const quantisation = { scale: output.scale[0]!, zero: output.zero[0]! };
  return dequantiseOutput(new Int8Array(bytes.buffer), quantisation);
}

function edge(name: string, { type }: Tensor): GatewayError {
  return new GatewayError('bad-model', `the ${name} of the file is ${type}`, {
    hint: 'convert it with float32 or int8 at both ends',
  });
}
