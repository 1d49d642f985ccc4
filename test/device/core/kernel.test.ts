import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argmax, POW2, requantise, runLayers } from '../../../device/core/kernel.ts';
import { loadLayers } from '../../../device/core/model.ts';
import { encodeLayers, quantiseMultiplier } from '../../../gateway/train/quant-layer.ts';
import { dot, kernelCases } from '../../support/kernel-cases.ts';

const clamp = (v: number): number => Math.max(-128, Math.min(127, v));

/** gemmlowp's two roundings, on BigInt. */
function twice(acc: number, multiplier: number, shift: number): number {
  const product = (BigInt(acc) << BigInt(Math.max(shift, 0))) * BigInt(multiplier);
  const high = (product + (1n << 30n)) >> 31n;
  const right = BigInt(Math.max(-shift, 0));
  const half = right > 0n ? 1n << (right - 1n) : 0n;
  return Number(high < 0n ? -((-high + half) >> right) : (high + half) >> right);
}

/** The one rounding of builds with TFLITE_SINGLE_ROUNDING. */
function once(acc: number, multiplier: number, shift: number): number {
  const right = BigInt(31 - shift);
  return Number((BigInt(acc) * BigInt(multiplier) + (1n << (right - 1n))) >> right);
}

const int32 = fc.oneof(
  fc.integer(),
  fc.integer({ min: -5000, max: 5000 }),
  fc.constantFrom(
    2 ** 22,
    -(2 ** 22),
    2 ** 21 - 1,
    1 - 2 ** 21,
    2 ** 31 - 1,
    -(2 ** 31),
    65536,
    -1,
  ),
);
const significand = fc.oneof(
  fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }),
  fc.constantFrom(2 ** 30, 2 ** 31 - 1, 2 ** 30 + 1, 3 * 2 ** 29),
);

describe('requantise()', () => {
  it('requantise() rounds twice, exactly, when compared with 64-bit integers', () => {
    fc.assert(
      fc.property(
        int32,
        significand,
        fc.integer({ min: -31, max: 0 }),
        fc.integer({ min: -128, max: 127 }),
        (acc, multiplier, shift, zero) => {
          expect(requantise(acc, multiplier, shift, zero)).toBe(
            clamp(twice(acc, multiplier, shift) + zero),
          );
        },
      ),
      { numRuns: 20000 },
    );
  });

  it('requantise() shifts left before it multiplies when the scale is 1 or more', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -30, max: 30 }),
        significand,
        fc.integer({ min: 1, max: 20 }),
        (acc, multiplier, shift) => {
          expect(requantise(acc, multiplier, shift, 0)).toBe(clamp(twice(acc, multiplier, shift)));
        },
      ),
    );
  });

  it('requantise() gives the example of its docstring', () => {
    expect(requantise(1000, 1518500250, -4, 3)).toBe(47);
  });

  it('requantise() gives the zero point when the multiplier is 0', () => {
    expect(requantise(123456, 0, 0, -9)).toBe(-9);
  });
});

describe('runLayers()', () => {
  for (const type of ['dense', 'conv1d', 'pool'] as const) {
    for (const { name, layer, input, output } of kernelCases(type)) {
      it(`runLayers() equals TensorFlow Lite Micro when given ${type}: ${name}`, () => {
        const layers = loadLayers(encodeLayers([layer], 0));
        for (let i = 0; i < input.length; i++) {
          expect(Array.from(runLayers(layers, Int8Array.from(input[i]), dot))).toEqual(output[i]);
        }
      });
    }
  }

  it('runLayers() equals a convolution in 64-bit integers when the fast path ends', () => {
    const row = fc.record({
      bias: int32.filter((b) => Math.abs(b) < 2 ** 31 - 200000),
      real: fc.integer({ min: 0, max: 31 }).map((e) => 0.97 * 2 ** -e),
      weights: fc.array(fc.integer({ min: -127, max: 127 }), { minLength: 6, maxLength: 6 }),
    });
    const property = fc.property(
      fc.array(row, { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 10, maxLength: 10 }),
      fc.integer({ min: -128, max: 127 }),
      fc.integer({ min: -128, max: 127 }),
      fc.boolean(),
      (rows, input, inputZero, outputZero, relu) => {
        const parts = rows.map((r) => quantiseMultiplier(r.real));
        const filters = rows.length;
        const part = encodeLayers(
          [
            {
              type: 'conv1d',
              length: 5,
              channels: 2,
              filters,
              kernel: 3,
              stride: 1,
              padding: 'same',
              weights: Int8Array.from(rows.flatMap((r) => r.weights)),
              bias: Int32Array.from(rows.map((r) => r.bias)),
              multiplier: Int32Array.from(parts.map((p) => p.multiplier)),
              shift: Int32Array.from(parts.map((p) => p.shift)),
              inputZero,
              outputZero,
              relu,
            },
          ],
          0,
        );
        const expected: number[] = [];
        for (let at = -1; at < 4; at++) {
          for (let f = 0; f < filters; f++) {
            let acc = rows[f].bias;
            for (let k = 0; k < 6; k++) {
              const index = at * 2 + k;
              if (index >= 0 && index < 10) acc += (input[index] - inputZero) * rows[f].weights[k];
            }
            const q = clamp(twice(acc, parts[f].multiplier, parts[f].shift) + outputZero);
            expected.push(relu ? Math.max(q, outputZero) : q);
          }
        }
        const given = runLayers(loadLayers(part), Int8Array.from(input), dot);
        expect(Array.from(given)).toEqual(expected);
      },
    );
    fc.assert(property, { numRuns: 3000 });
  });

  it('runLayers() takes the slow path when one sum of doubles would round up to a multiple', () => {
    // acc·multiplier + c is one below a multiple of 2^(31+s) and above 2^53
    const traps = [
      [16, 8388607, 1082130433, 64],
      [16, -5756455, 2041461143, -84],
      [17, 16716767, 1338611681, 79],
      [17, -15282791, 1280035159, -70],
      [18, 33308641, 1107016671, 65],
      [18, -31378881, 1910653505, -107],
    ];
    for (const [s, acc, multiplier, expected] of traps) {
      const part = encodeLayers(
        [
          {
            type: 'dense',
            inputs: 1,
            outputs: 1,
            weights: new Int8Array(1),
            bias: Int32Array.from([acc]),
            multiplier: Int32Array.from([multiplier]),
            shift: Int32Array.from([-s]),
            inputZero: 0,
            outputZero: 0,
            relu: false,
          },
        ],
        0,
      );
      expect(twice(acc, multiplier, -s)).toBe(expected);
      expect(runLayers(loadLayers(part), new Int8Array(1), dot)[0]).toBe(expected);
    }
  });

  it('runLayers() gives the input itself when there are no layers', () => {
    const input = new Int8Array([3, -4]);
    expect(runLayers([], input, dot)).toBe(input);
  });
});

describe('golden vectors', () => {
  it('golden vectors tell double rounding from single when accumulators tie', () => {
    let different = 0;
    for (const { layer, input, output } of kernelCases('dense')) {
      if (layer.type !== 'dense' || layer.shift[0] > 0) continue;
      for (let i = 0; i < input.length; i++) {
        for (let o = 0; o < layer.outputs; o++) {
          let acc = layer.bias[o];
          for (let k = 0; k < layer.inputs; k++) {
            acc += (input[i][k] - layer.inputZero) * layer.weights[o * layer.inputs + k];
          }
          const low = layer.relu ? layer.outputZero : -128;
          const single = once(acc, layer.multiplier[0], layer.shift[0]) + layer.outputZero;
          if (Math.max(low, clamp(single)) !== output[i][o]) different++;
        }
      }
    }
    expect(different).toBeGreaterThan(50);
  });
});

describe('POW2', () => {
  it('POW2 holds exact powers of two', () => {
    expect(Array.from(POW2)).toEqual(Array.from({ length: 32 }, (_, i) => 2 ** i));
  });
});

describe('argmax()', () => {
  it('argmax() gives the first when values are equal', () => {
    expect(argmax(new Int8Array([3, 9, -1, 9]))).toBe(1);
    expect(argmax(new Int8Array([-128]))).toBe(0);
  });
});
