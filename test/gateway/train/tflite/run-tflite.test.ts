import { describe, expect, it } from 'vitest';
import { dequantiseOutput, quantiseInput } from '../../../../gateway/train/tflite/run-tflite.ts';
import { edgeCases } from '../../../support/kernel-cases.ts';

const casesOf = (wanted: string) => edgeCases().filter(({ type }) => type === wanted);

describe('quantiseInput()', () => {
  it('quantiseInput() equals TensorFlow Lite Micro when given its vectors', () => {
    const cases = casesOf('quantise-float');
    expect(cases.length).toBeGreaterThan(2);
    for (const { name, quantisation, input, output } of cases) {
      const given = quantiseInput(Float32Array.from(input), quantisation);
      expect(Array.from(given), name).toEqual(output);
    }
  });
});

describe('dequantiseOutput()', () => {
  it('dequantiseOutput() equals TensorFlow Lite Micro when given its vectors', () => {
    const cases = casesOf('dequantise-float');
    expect(cases.length).toBeGreaterThan(2);
    for (const { name, quantisation, input, output } of cases) {
      const given = dequantiseOutput(Int8Array.from(input), quantisation);
      expect(Array.from(given), name).toEqual(output.map(Math.fround));
    }
  });
});
