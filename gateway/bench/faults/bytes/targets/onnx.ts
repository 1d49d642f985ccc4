import { openOnnx } from '../../../../runtimes/onnx.ts';
import { ELEMENT, writeOnnxFile } from '../../../../train/onnx/onnx-file.ts';
import { protobufMutators } from '../forms.ts';
import { refusal } from '../refusal.ts';
import type { MakeTarget } from '../target.ts';

const INPUTS = 4;
const OUTPUTS = 3;

/** A dense layer in float32, as a teacher's file has it. */
function dense(): Uint8Array {
  const floats = (n: number) =>
    new Uint8Array(Float32Array.from({ length: n }, (_, i) => i).buffer);
  const element = ELEMENT.float32;
  return writeOnnxFile({
    nodes: [
      { op: 'MatMul', inputs: ['in', 'w'], output: 'sum' },
      { op: 'Add', inputs: ['sum', 'b'], output: 'out' },
    ],
    constants: [
      { name: 'w', shape: [INPUTS, OUTPUTS], element, data: floats(INPUTS * OUTPUTS) },
      { name: 'b', shape: [OUTPUTS], element, data: floats(OUTPUTS) },
    ],
    input: { name: 'in', shape: [1, INPUTS], element },
    output: { name: 'out', shape: [1, OUTPUTS], element },
  });
}

/** Files of teachers: whoever opens them, a damaged one is refused by name; what opens also runs. */
export const onnx: MakeTarget = async () => {
  await (await openOnnx(dense())).run(new Float32Array(INPUTS));
  return {
    corpus: [dense()],
    mutators: protobufMutators,
    take: async (bytes) => {
      try {
        const runner = await openOnnx(bytes);
        try {
          const size = runner.shape.reduce((product, n) => product * n, 1);
          if (size < 1e6) await runner.run(new Float32Array(size));
        } finally {
          runner.close();
        }
        return 'taken';
      } catch (error) {
        return refusal(error, ['bad-model']);
      }
    },
  };
};
