import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POW2, requantise } from '../../../device/core/arithmetic.ts';
import { argmax, multiply, runLayers, type Tier, tierOf } from '../../../device/core/kernel.ts';
import { loadLayers } from '../../../device/core/model.ts';
import { tier } from '../../../gateway/train/gateway-tier.ts';
import { encodeLayers } from '../../../gateway/train/layer-codec.ts';
import {
  effectiveScales,
  type QuantLayer,
  quantiseMultiplier,
} from '../../../gateway/train/quant-layer.ts';
import { multiplyBy } from '../../support/bigint-arithmetic.ts';
import { goldenNets } from '../../support/golden-nets.ts';
import { dot, kernelCases, OPERATORS } from '../../support/kernel-cases.ts';
import { randomLayers, wiredNets, withInput } from '../../support/random-layers.ts';
import { referenceNet } from '../../support/reference-kernel.ts';

const TIERS: Record<string, Tier> = { reference: tierOf(dot, multiply), gateway: tier };

const clamp = (v: number): number => Math.max(-128, Math.min(127, v));

/** TensorFlow Lite's two roundings, on BigInt. */
const twice = (acc: number, multiplier: number, shift: number): number =>
  Number(multiplyBy(BigInt(acc), { m: BigInt(multiplier), s: BigInt(shift) }));

/** The one rounding of builds with TFLITE_SINGLE_ROUNDING. */
function once(acc: number, multiplier: number, shift: number): number {
  const right = BigInt(31 - shift);
  return Number((BigInt(acc) * BigInt(multiplier) + (1n << (right - 1n))) >> right);
}

/** Two float32 scales whose product has exactly this significand and power of two. */
function scalesFor(multiplier: number, shift: number): { input: number; weight: number } {
  const wanted = (multiplier / 2 ** 31) * 2 ** shift;
  for (let i = 0; i < 100000; i++) {
    const input = Math.fround(1 + i / 2 ** 23);
    const weight = Math.fround(wanted / input);
    if (quantiseMultiplier(input * weight).multiplier === multiplier) return { input, weight };
  }
  throw new Error(`no scales for ${multiplier}`);
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
  for (const [name, { run }] of Object.entries(TIERS)) {
    for (const operator of OPERATORS) {
      it(`runLayers() equals TensorFlow Lite Micro in tier ${name} when given its ${operator} vectors`, () => {
        const nets = goldenNets(operator);
        expect(nets.length).toBeGreaterThan(20);
        for (const { name, layers, input, output } of nets) {
          expect(run(loadLayers(encodeLayers(layers, 0)), input), name).toEqual(output);
        }
      });
    }
  }

  for (const [name, layers] of Object.entries(randomLayers)) {
    it(`runLayers() equals 64-bit integers when given any ${name} layer`, () => {
      const property = fc.property(
        layers.chain((layer) => withInput([layer])),
        ({ layers, input }) => {
          const given = tier.run(loadLayers(encodeLayers(layers, 0)), Int8Array.from(input));
          expect(Array.from(given)).toEqual(referenceNet(layers, input));
        },
      );
      fc.assert(property, { numRuns: 1500 });
    });
  }

  it('runLayers() equals 64-bit integers when layers read any one before them', () => {
    fc.assert(
      fc.property(wiredNets, ({ layers, input }) => {
        const given = tier.run(loadLayers(encodeLayers(layers, 0)), Int8Array.from(input));
        expect(Array.from(given)).toEqual(referenceNet(layers, input));
      }),
      { numRuns: 1500 },
    );
  });

  it('runLayers() equals a convolution in 64-bit integers when the fast path ends', () => {
    const row = fc.record({
      bias: int32.filter((b) => Math.abs(b) < 2 ** 31 - 200000),
      real: fc.integer({ min: 0, max: 31 }).map((e) => Math.fround(0.97 * 2 ** -e)),
      weights: fc.array(fc.integer({ min: -127, max: 127 }), { minLength: 6, maxLength: 6 }),
    });
    const property = fc.property(
      fc.array(row, { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 10, maxLength: 10 }),
      fc.integer({ min: -128, max: 127 }),
      fc.integer({ min: -128, max: 127 }),
      fc.boolean(),
      (rows, input, inputZero, outputZero, relu) => {
        const layer: QuantLayer = {
          ...{ type: 'conv2d', height: 1, width: 5, channels: 2, filters: rows.length },
          ...{ kernelHeight: 1, kernelWidth: 3, strideHeight: 1, strideWidth: 1, padding: 'same' },
          weights: Int8Array.from(rows.flatMap((r) => r.weights)),
          bias: Int32Array.from(rows.map((r) => r.bias)),
          weightScale: Float32Array.from(rows.map((r) => r.real)),
          input: { scale: 1, zero: inputZero },
          output: { scale: 1, zero: outputZero },
          activation: relu ? 'relu' : 'none',
        };
        const layers = loadLayers(encodeLayers([layer], 0));
        const given = runLayers(layers, Int8Array.from(input), dot, multiply);
        expect(Array.from(given)).toEqual(referenceNet([layer], input));
      },
    );
    fc.assert(property, { numRuns: 3000 });
  });

  it('runLayers() takes the slow path when one sum of doubles would round up to a multiple', () => {
    // acc·multiplier + c is one below a multiple of 2^(31+s) and above 2^53
    const traps: [shift: number, acc: number, multiplier: number, expected: number][] = [
      [-16, 8388607, 1082130433, 64],
      [-16, -5756455, 2041461143, -84],
      [-17, 16716767, 1338611681, 79],
      [-17, -15282791, 1280035159, -70],
      [-18, 33308641, 1107016671, 65],
      [-18, -31378881, 1910653505, -107],
    ];
    for (const [shift, acc, multiplier, expected] of traps) {
      const { input, weight } = scalesFor(multiplier, shift);
      const layer: QuantLayer = {
        type: 'dense',
        inputs: 1,
        outputs: 1,
        weights: new Int8Array(1),
        bias: Int32Array.of(acc),
        weightScale: Float32Array.of(weight),
        input: { scale: input, zero: 0 },
        output: { scale: 1, zero: 0 },
        activation: 'none',
      };
      const layers = loadLayers(encodeLayers([layer], 0));
      expect(Array.from(layers[0].multiplier)).toEqual([multiplier]);
      expect(twice(acc, multiplier, shift)).toBe(expected);
      expect(runLayers(layers, new Int8Array(1), dot, multiply)[0]).toBe(expected);
    }
  });

  it('runLayers() is exact in every tier when all of a long row is extreme', () => {
    for (const inputs of [2047, 2048, 2049]) {
      for (const value of [-128, 127]) {
        const layer: QuantLayer = {
          ...{ type: 'dense', inputs, outputs: 3, activation: 'none' },
          weights: new Int8Array(3 * inputs).fill(-128),
          bias: Int32Array.of(0, -inputs * value * -128, 5),
          weightScale: Float32Array.of(2 ** -18),
          ...{ input: { scale: 1, zero: 0 }, output: { scale: 1, zero: 0 } },
        };
        const layers = loadLayers(encodeLayers([layer], 0));
        const input = new Int8Array(inputs).fill(value);
        for (const [name, { run }] of Object.entries(TIERS)) {
          expect(Array.from(run(layers, input)), name).toEqual(referenceNet([layer], input));
        }
      }
    }
  });

  it('runLayers() gives the input itself when there are no layers', () => {
    const input = new Int8Array([3, -4]);
    expect(runLayers([], input, dot, multiply)).toBe(input);
  });
});

describe('golden vectors', () => {
  it('golden vectors tell double rounding from single when accumulators tie', () => {
    let different = 0;
    for (const { layer, inputs, outputs } of kernelCases('dense')) {
      if (layer.type !== 'dense') continue;
      const factors = effectiveScales(layer).map(quantiseMultiplier);
      inputs.forEach((input, i) => {
        for (let o = 0; o < layer.outputs; o++) {
          const { multiplier, shift } = factors[factors.length > 1 ? o : 0];
          if (shift > 0) continue;
          let acc = layer.bias[o];
          for (let k = 0; k < layer.inputs; k++) {
            acc += (input[k] - layer.input.zero) * layer.weights[o * layer.inputs + k];
          }
          const low = layer.activation === 'none' ? -128 : layer.output.zero;
          const single = once(acc, multiplier, shift) + layer.output.zero;
          if (layer.activation !== 'relu6' && Math.max(low, clamp(single)) !== outputs[i][o]) {
            different++;
          }
        }
      });
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
