import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { infer, loadModel, normalise } from '../../../device/core/model.ts';
import {
  type DeviceConv1d,
  type DeviceLayer,
  decodeLayers,
  decodePre,
  encodeLayers,
  encodePre,
  fitPre,
  layerGeometry,
  type Pre,
  quantiseMultiplier,
} from '../../../gateway/train/quant-layer.ts';
import { dot, kernelCases } from '../../support/kernel-cases.ts';

const int8 = fc.integer({ min: -128, max: 127 });
const clamp = (v: number): number => Math.max(-128, Math.min(127, v));

/** gemmlowp's double rounding on BigInt. */
function scaled(acc: number, multiplier: number, shift: number): number {
  const high = (BigInt(acc) * BigInt(multiplier) + (1n << 30n)) >> 31n;
  if (shift === 0) return Number(high);
  const half = 1n << BigInt(-shift - 1);
  return Number(high < 0n ? -((-high + half) >> BigInt(-shift)) : (high + half) >> BigInt(-shift));
}

/** One layer as TensorFlow Lite's specification says it, from the decoded form. */
function evaluate(layer: DeviceLayer, input: number[]): number[] {
  const g = layerGeometry(layer);
  const out: number[] = [];
  for (let p = 0; p < g.lengthOut; p++) {
    for (let o = 0; o < g.channelsOut; o++) {
      const taken: number[] = [];
      let acc = 'bias' in layer ? layer.bias[o] : 0;
      for (let k = 0; k < g.kernel; k++) {
        const place = p * g.stride - g.padLeft + k;
        if (place < 0 || place >= g.lengthIn) continue;
        if (!('bias' in layer)) {
          taken.push(input[place * g.channelsIn + o]);
          continue;
        }
        for (let c = 0; c < g.channelsIn; c++) {
          const weight = layer.weights[(o * g.kernel + k) * g.channelsIn + c];
          acc += weight * (input[place * g.channelsIn + c] - layer.inputZero);
        }
      }
      if ('bias' in layer) {
        const i = layer.multiplier.length > 1 ? o : 0;
        const q = clamp(scaled(acc, layer.multiplier[i], layer.shift[i]) + layer.outputZero);
        out.push(layer.relu ? Math.max(q, layer.outputZero) : q);
      } else if (layer.type === 'maxpool1d') out.push(Math.max(...taken));
      else {
        const mean = taken.reduce((a, b) => a + b, 0) / taken.length;
        out.push(Math.sign(mean) * Math.floor(Math.abs(mean) + 0.5) + 0);
      }
    }
  }
  return out;
}

function weighted(rows: number, columns: number, units: number) {
  const list = <T>(value: fc.Arbitrary<T>, n: number) =>
    fc.array(value, { minLength: n, maxLength: n });
  return fc.record({
    weights: list(fc.integer({ min: -127, max: 127 }), rows * columns).map((v) =>
      Int8Array.from(v),
    ),
    bias: list(fc.integer({ min: -9000, max: 9000 }), rows).map((v) => Int32Array.from(v)),
    multiplier: list(fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }), units).map((v) =>
      Int32Array.from(v),
    ),
    shift: list(fc.integer({ min: -12, max: 0 }), units).map((v) => Int32Array.from(v)),
    inputZero: int8,
    outputZero: int8,
    relu: fc.boolean(),
  });
}

/** conv → pool → conv | dense: every type of layer, in shapes that divide badly. */
const nets = fc
  .record({
    length: fc.integer({ min: 7, max: 15 }),
    filters: fc.integer({ min: 1, max: 5 }),
    kernel: fc.integer({ min: 1, max: 6 }),
    stride: fc.integer({ min: 1, max: 3 }),
    padding: fc.constantFrom<'same' | 'valid'>('same', 'valid'),
    pool: fc.constantFrom<'maxpool1d' | 'avgpool1d'>('maxpool1d', 'avgpool1d'),
    outputs: fc.integer({ min: 2, max: 5 }),
  })
  .chain(({ length, filters, kernel, stride, padding, pool, outputs }) => {
    const shape = {
      type: 'conv1d' as const,
      length,
      channels: 3,
      filters,
      kernel,
      stride,
      padding,
    };
    const between = layerGeometry({ ...shape } as DeviceConv1d).lengthOut;
    const size = Math.min(2, between);
    const after = between - size + 1;
    return fc.record({
      conv: weighted(filters, kernel * 3, filters).map((w) => ({ ...shape, ...w })),
      pool: fc.constant({ type: pool, length: between, channels: filters, pool: size, stride: 1 }),
      dense: weighted(outputs, after * filters, 1).map((w) => ({
        type: 'dense' as const,
        inputs: after * filters,
        outputs,
        ...w,
      })),
      window: fc.array(int8, { minLength: length * 3, maxLength: length * 3 }),
    });
  });

describe('encodeLayers()', () => {
  it('encodeLayers() comes back from decodeLayers() when the layers are of every type', () => {
    fc.assert(
      fc.property(nets, ({ conv, pool, dense }) => {
        const part = encodeLayers([conv, pool, dense], 0.125);
        expect(part.length % 4).toBe(0);
        const { layers, scoreMultiplier } = decodeLayers(part);
        expect(scoreMultiplier).toBe(512);
        const same = layerGeometry(conv).lengthOut === layerGeometry(layers[0]).lengthOut;
        expect(same).toBe(true);
        expect({ ...layers[0], padding: conv.padding }).toEqual(conv);
        expect(layers.slice(1)).toEqual([pool, dense]);
        expect(encodeLayers(layers, 0.125)).toEqual(part);
      }),
    );
  });

  it('infer() equals a direct evaluation in 64-bit integers when the parts are decoded', () => {
    const raw: Pre = {
      kind: 'raw',
      set: 0,
      offset: Int32Array.from([3, -20, 0]),
      multiplier: Uint16Array.from([40001, 32768, 65535]),
      shift: Uint8Array.from([15, 14, 16]),
    };
    fc.assert(
      fc.property(nets, ({ conv, pool, dense, window }) => {
        const parts = [encodePre(raw), encodeLayers([conv, pool], 0), encodeLayers([dense], 0.11)];
        const pre = decodePre(parts[0]);
        let values = window.map((v, i) => {
          const product = (v - pre.offset[i % 3]) * pre.multiplier[i % 3];
          return clamp(Math.floor(product / 2 ** pre.shift[i % 3] + 0.5));
        });
        const backbone = decodeLayers(parts[1]).layers;
        const head = decodeLayers(parts[2]);
        for (const layer of backbone) values = evaluate(layer, values);
        const logits = evaluate(head.layers[0], values);
        const sorted = [...logits].sort((a, b) => b - a);
        const margin = sorted[0] - sorted[1];
        const model = loadModel(parts[0], parts[1], parts[2]);
        const got = infer(model, Int8Array.from(window), window.length / 3, dot);
        expect(Array.from(got.embedding)).toEqual(values);
        expect(Array.from(got.logits)).toEqual(logits);
        expect(got.cls).toBe(logits.indexOf(sorted[0]));
        expect(got.score).toBe(Math.min(255, Math.floor((margin * 451) / 256)));
      }),
      { numRuns: 500 },
    );
  });

  it('encodeLayers() throws RangeError when layers do not fit', () => {
    const [{ layer }] = kernelCases('dense');
    if (layer.type !== 'dense') throw new Error('dense expected');
    expect(() => encodeLayers([layer, layer], 0)).toThrow(/layer 1 does not take/);
    expect(() => encodeLayers([{ ...layer, inputs: 32 }], 0)).toThrow(/does not fit its shape/);
    expect(() => encodeLayers([{ ...layer, inputZero: 128 }], 0)).toThrow(/inputZero/);
    expect(() => encodeLayers([layer], 17)).toThrow(/score multiplier/);
    const bias = layer.bias.slice().fill(2 ** 31 - 1);
    const weights = layer.weights.slice().fill(100);
    expect(() => encodeLayers([{ ...layer, bias, weights }], 0)).toThrow(/folded bias/);
  });

  it('decodeLayers() throws RangeError when the part is cut short, long or of unknown type', () => {
    const part = encodeLayers([kernelCases('conv1d')[0].layer], 0);
    expect(() => decodeLayers(part.subarray(0, part.length - 8))).toThrow(RangeError);
    expect(() => decodeLayers(new Uint8Array([...part, 0]))).toThrow(RangeError);
    part[4] = 9;
    expect(() => decodeLayers(part)).toThrow(/unknown type 9/);
  });
});

describe('quantiseMultiplier()', () => {
  for (const type of ['dense', 'conv1d'] as const) {
    for (const { name, layer, scales } of kernelCases(type)) {
      it(`quantiseMultiplier() gives what TensorFlow Lite Micro computes in ${type}: ${name}`, () => {
        if (scales === undefined || !('shift' in layer)) throw new Error('no scales');
        const parts = scales.weights.map((w) =>
          quantiseMultiplier((scales.input * w) / scales.output),
        );
        expect(parts.map((p) => p.multiplier)).toEqual(Array.from(layer.multiplier));
        expect(parts.map((p) => p.shift)).toEqual(Array.from(layer.shift));
      });
    }
  }

  it('quantiseMultiplier() is within half a unit of the real scale', () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -31, max: 2 ** 29, noNaN: true }), (real) => {
        const { multiplier, shift } = quantiseMultiplier(real);
        expect(multiplier).toBeGreaterThanOrEqual(2 ** 30);
        expect(multiplier).toBeLessThan(2 ** 31);
        const unit = 2 ** (shift - 31);
        expect(Math.abs(multiplier * unit - real)).toBeLessThanOrEqual(unit / 2);
      }),
    );
  });

  it('quantiseMultiplier() gives the example of its docstring', () => {
    expect(quantiseMultiplier(0.046875)).toEqual({ multiplier: 1610612736, shift: -4 });
  });

  it('quantiseMultiplier() flushes to 0 below 2^-32, carries at the top, and refuses the rest', () => {
    expect(quantiseMultiplier(0)).toEqual({ multiplier: 0, shift: 0 });
    expect(quantiseMultiplier(2 ** -33)).toEqual({ multiplier: 0, shift: 0 });
    expect(quantiseMultiplier(2 ** -32)).toEqual({ multiplier: 2 ** 30, shift: -31 });
    expect(quantiseMultiplier(1 - 2 ** -40)).toEqual({ multiplier: 2 ** 30, shift: 1 });
    for (const real of [-1, Number.NaN, 2 ** 30]) {
      expect(() => quantiseMultiplier(real)).toThrow(RangeError);
    }
  });
});

describe('fitPre()', () => {
  const rows = Array.from({ length: 200 }, (_, i) => [
    1000 + ((i * 75) % 401) - 200,
    ((i * 31) % 11) * 3 - 20,
    -7,
    i % 2,
  ]);

  it('fitPre() puts the mean at 0 and sigmas deviations at 127', () => {
    const pre = fitPre(rows, { sigmas: 3, set: 1 });
    const mean = rows.reduce((s, r) => s + r[0], 0) / 200;
    const deviation = Math.sqrt(rows.reduce((s, r) => s + (r[0] - mean) ** 2, 0) / 200);
    expect(pre.offset[0]).toBe(Math.round(mean));
    expect(pre.multiplier[0] / 2 ** pre.shift[0]).toBeCloseTo(127 / (3 * deviation), 4);
    expect([pre.kind, pre.set]).toEqual(['features', 1]);
  });

  it('fitPre() silences a constant feature and does not blow up one that hardly moves', () => {
    const pre = fitPre(rows, { sigmas: 4 });
    expect([pre.multiplier[2], pre.shift[2]]).toEqual([0, 0]);
    expect(pre.multiplier[3] / 2 ** pre.shift[3]).toBeCloseTo(127 / (4 * 4), 3);
    const raw = fitPre(rows, { sigmas: 4, kind: 'raw' });
    expect(raw.multiplier[3] / 2 ** raw.shift[3]).toBeCloseTo(127 / 4, 2);
    expect(raw.set).toBe(0);
  });

  it('fitPre() normalises what it was fitted on without saturating within its sigmas', () => {
    const axes = rows.map((r) => [r[1], r[1] - 3, -r[1]]);
    const pre = fitPre(axes, { sigmas: 3, kind: 'raw' });
    const empty = encodeLayers([], 0);
    const q = normalise(
      loadModel(encodePre(pre), empty, empty),
      Int8Array.from(axes.flat()),
      200,
      dot,
    );
    for (let axis = 0; axis < 3; axis++) {
      const values = Array.from(q).filter((_, i) => i % 3 === axis);
      const mean = values.reduce((a, b) => a + b, 0) / 200;
      const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / 200);
      expect(Math.abs(mean)).toBeLessThan(3);
      expect(deviation).toBeCloseTo(127 / 3, 0);
    }
  });

  it('fitPre() throws RangeError when there is nothing to fit', () => {
    expect(() => fitPre([], { sigmas: 3 })).toThrow(RangeError);
    expect(() => fitPre([[1], [1, 2]], { sigmas: 3 })).toThrow(RangeError);
    expect(() => fitPre([[1], [2]], { sigmas: 0 })).toThrow(RangeError);
  });
});

describe('encodePre()', () => {
  it('encodePre() comes back from decodePre(), at any alignment', () => {
    const pres = fc.integer({ min: 1, max: 9 }).chain((n) =>
      fc.record({
        kind: fc.constantFrom<'raw' | 'features'>('raw', 'features'),
        set: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
        offset: fc
          .array(fc.integer(), { minLength: n, maxLength: n })
          .map((v) => Int32Array.from(v)),
        multiplier: fc
          .array(fc.integer({ min: 2 ** 15, max: 2 ** 16 - 1 }), { minLength: n, maxLength: n })
          .map((v) => Uint16Array.from(v)),
        shift: fc
          .array(fc.integer({ min: 0, max: 31 }), { minLength: n, maxLength: n })
          .map((v) => Uint8Array.from(v)),
      }),
    );
    fc.assert(
      fc.property(pres, (pre) => {
        const part = encodePre(pre);
        const shifted = new Uint8Array(part.length + 1);
        shifted.set(part, 1);
        expect(decodePre(shifted.subarray(1))).toEqual(pre);
      }),
    );
  });

  it('encodePre() and decodePre() throw RangeError when the part is impossible', () => {
    const pre = fitPre([[1], [60]], { sigmas: 3 });
    expect(() => encodePre({ ...pre, shift: new Uint8Array(2) })).toThrow(RangeError);
    expect(() => encodePre({ ...pre, multiplier: Uint16Array.from([5]) })).toThrow(RangeError);
    const part = encodePre(pre);
    expect(() => decodePre(part.subarray(0, 8))).toThrow(RangeError);
    part[0] = 3;
    expect(() => decodePre(part)).toThrow(RangeError);
  });
});
