import type { Kernel, Layer } from '../core/arithmetic.ts';
import { align } from '../core/model.ts';
import { CONV1D } from '../core/options.ts';
import { BLOB } from './blob.ts';
import type { EspruinoE } from './globals.ts';

declare const E: EspruinoE;

/** A layer with what runs it; false where the code does not. */
type Native = Layer & { run?: ((input: Int8Array) => Int8Array) | false };

/**
 * The kernel in machine code, for a Cortex-M4 or better: see device/native.
 *
 * Layers are read where they lie. Espruino knows the address of bytes in mapped flash, and of those in
 * RAM that lie in one piece. When a layer runs for the first time it is compared with `own`, which
 * goes on with those whose bytes have no address, that the code does not know, or where it differs:
 * the numbers are the same, the time is not. Nothing says so on the device, `hello` neither: it names
 * the tier before a layer has run. `run` of such a layer is false, which tests look at.
 *
 * @param own kernel for what is left
 * @throws Error of the board where it calls no machine code
 */
export function thumbKernel(own: Kernel): Kernel {
  const addressOf = E.getAddressOf;
  const code = E.nativeCall(1, CONV1D ? 'int(int,int,int,int)' : 'int(int,int,int)', atob(BLOB));
  /* Once a layer, since finding addresses takes longer than the code. */
  const prepare = (layer: Layer, input: Int8Array, right: Int8Array): Native['run'] => {
    const head = layer.head;
    const size = right.length;
    // input, a patch of it, output, and a byte that the code may write
    const patch = align(input.length);
    const from = CONV1D ? patch + align(layer.weights.length / layer.shape[1]) : patch;
    const arena = new Int8Array(from + align(size + 1));
    const output = arena.subarray(from, from + size);
    const at = addressOf(arena, true);
    const where = addressOf(head, true);
    let refused = 0;
    const call = (values: Int8Array): Int8Array => {
      arena.set(values, 0);
      refused = CONV1D ? code(where, at, at + from, at + patch) : code(where, at, at + from);
      return new Int8Array(output);
    };
    return (
      at * where !== 0 &&
      where % 4 === 0 &&
      `${call(input)}` === `${right}` &&
      refused === 0 &&
      call
    );
  };
  return (layer: Native, input, dot, other) => {
    if (layer.run) return layer.run(input);
    const right = own(layer, input, dot, other);
    if (layer.run === undefined) layer.run = prepare(layer, input, right);
    return right;
  };
}
