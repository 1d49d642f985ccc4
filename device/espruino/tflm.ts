import type { Layer } from '../core/arithmetic.ts';
import type { Tier } from '../core/kernel.ts';
import type { EspruinoInterpreter, EspruinoRequire, EspruinoTensorflow } from './globals.ts';
import { writeTflite } from './tflite.ts';

declare const library: EspruinoRequire;

/** An arena's bytes: the first tried, and where trying ends. */
const FIRST_ARENA = 1024;
const LAST_ARENA = 65536;

/** Layers of a part, with what runs them; null where nothing but the kernel does. */
type Part = Layer[] & { net?: EspruinoInterpreter | null };

function interpreter(
  tensorflow: EspruinoTensorflow,
  layers: Layer[],
  tier: Tier,
): EspruinoInterpreter | null {
  const file = layers.length > 0 ? writeTflite(layers, tier.dot) : undefined;
  if (file === undefined) return null;
  for (let arena = FIRST_ARENA; arena < LAST_ARENA; arena *= 2) {
    try {
      return tensorflow.create(arena, file);
    } catch {
      // too small; or, in the end, too large
    }
  }
  return null;
}

function invoke(net: EspruinoInterpreter, input: Int8Array): Int8Array {
  net.getInput().set(input, 0);
  net.invoke();
  return new Int8Array(net.getOutput());
}

/**
 * The tier `tflm`: TensorFlow Lite Micro of the board, with a model made of the layers when they run
 * for the first time, and goes with them. What it gives then is compared with `tier`, which goes on
 * where that differs, or where there is no such model.
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
        part.net = interpreter(tensorflow, layers, tier);
        if (part.net !== null && `${invoke(part.net, input)}` !== `${right}`) part.net = null;
      }
      return right;
    },
  };
}
