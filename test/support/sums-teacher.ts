import { ELEMENT, writeOnnxFile } from '../../gateway/train/onnx/onnx-file.ts';

/**
 * A float model of the gesture task's windows in ONNX, whose output k is k + 1 times the first sample of
 * axis k modulo three.
 *
 * @param layout what comes first in its input
 * @param ending operator that follows, if any
 */
export function sumsTeacher(
  layout: 'samples' | 'axes' = 'samples',
  ending?: 'Softmax',
): Uint8Array {
  const values = 150;
  const weights = new Float32Array(values * 6);
  for (let k = 0; k < 6; k++) {
    const first = layout === 'samples' ? k % 3 : (k % 3) * 50;
    weights[first * 6 + k] = k + 1;
  }
  const constant = (name: string, shape: number[], element: number, of: ArrayBufferView) => ({
    ...{ name, shape, element, data: new Uint8Array(of.buffer) },
  });
  return writeOnnxFile({
    nodes: [
      { op: 'Reshape', inputs: ['window', 'flat'], output: 'row' },
      { op: 'MatMul', inputs: ['row', 'weights'], output: 'sums' },
      ...(ending ? [{ op: ending, inputs: ['sums'], output: 'shares' }] : []),
    ],
    constants: [
      constant('flat', [2], ELEMENT.int64, BigInt64Array.of(1n, BigInt(values))),
      constant('weights', [values, 6], ELEMENT.float32, weights),
    ],
    input: {
      ...{ name: 'window', element: ELEMENT.float32 },
      shape: layout === 'samples' ? [1, 50, 3] : [1, 3, 50],
    },
    output: { name: ending ? 'shares' : 'sums', shape: [1, 6], element: ELEMENT.float32 },
  });
}
