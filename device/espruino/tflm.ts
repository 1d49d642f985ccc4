import { byte, type Layer } from '../core/arithmetic.ts';
import type { Tier } from '../core/kernel.ts';
import type { EspruinoInterpreter, EspruinoRequire, EspruinoTensorflow } from './globals.ts';
import { writeTflite } from './tflite.ts';

declare const library: EspruinoRequire;

/**
 * Bytes of an arena, more than is needed: for a model, a layer, an output channel. One that is too
 * small ends the process: the board's TensorFlow Lite Micro uses what it could not allocate.
 */
const MODEL_BYTES = 2048;
const LAYER_BYTES = 1024;
const CHANNEL_BYTES = 32;

/** Layers of a part, with what runs them; null where nothing but the kernel does. */
type Part = Layer[] & { net?: EspruinoInterpreter | null };

function interpreter(
  tensorflow: EspruinoTensorflow,
  layers: Layer[],
  tier: Tier,
  inputs: number,
): EspruinoInterpreter | null {
  const file = layers.length > 0 ? writeTflite(layers, tier.dot) : undefined;
  if (file === undefined) return null;
  let arena = MODEL_BYTES + 2 * inputs;
  for (const layer of layers) {
    const head = layer.head;
    const shape = layer.shape;
    const height = head.length > 20 ? byte(head[22]) + 256 * byte(head[23]) : 1;
    arena += LAYER_BYTES + CHANNEL_BYTES * shape[1] + 2 * shape[1] * shape[3] * height;
  }
  try {
    return tensorflow.create(arena, file);
  } catch {
    return null; // the RAM is too small
  }
}

function invoke(net: EspruinoInterpreter, input: Int8Array): Int8Array {
  net.getInput().set(input, 0);
  net.invoke();
  return new Int8Array(net.getOutput());
}

/**
 * The tier `tflm`: TensorFlow Lite Micro of the board, with a model made of the layers when they run
 * for the first time, and goes with them. What it gives then is compared with `tier`, which goes on
 * where that differs, or where there is no such model: the numbers are the same, the time is not.
 *
 * Nothing says so on the device, `hello` neither: it names the tier before a part has run. A part goes
 * back where writeTflite has no file for it, where the RAM has no room in one piece, or where the
 * first numbers differ; then its `net` is null. Tests and `bench kernel` show it, by `net` and by time.
 *
 * @param tier see writeTflite for the parts that are left to it
 * @throws Error of the board where it has no TensorFlow Lite Micro
 */
export function tflmTier(tier: Tier): Tier {
  const tensorflow = library('tensorflow');
  return {
    dot: tier.dot,
    run: (layers, input) => {
      const part: Part = layers;
      if (part.net) return invoke(part.net, input);
      const right = tier.run(layers, input);
      if (part.net === undefined) {
        part.net = interpreter(tensorflow, layers, tier, input.length);
        if (part.net !== null && `${invoke(part.net, input)}` !== `${right}`) part.net = null;
      }
      return right;
    },
  };
}
