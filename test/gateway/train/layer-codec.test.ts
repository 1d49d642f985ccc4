import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { infer, loadModel } from '../../../device/core/model.ts';
import { tier } from '../../../gateway/train/gateway-tier.ts';
import { decodeLayers, encodeLayers } from '../../../gateway/train/layer-codec.ts';
import { decodePre, encodePre, type Pre } from '../../../gateway/train/pre.ts';
import {
  layerGeometry,
  type QuantDense,
  type QuantLayer,
} from '../../../gateway/train/quant-layer.ts';
import { kernelCases, OPERATORS } from '../../support/kernel-cases.ts';
import { randomLayers, wiredNets, wiredNetsOf } from '../../support/random-layers.ts';
import { referenceNet } from '../../support/reference-kernel.ts';

const anyLayer = fc.oneof(...Object.values(randomLayers));
const anyPart = fc
  .oneof(
    anyLayer.map((layer) => [layer]),
    wiredNets.map(({ layers }) => layers),
  )
  .chain((layers) => fc.integer({ min: 0, max: 65535 }).map((score) => ({ layers, score })))
  .map(({ layers, score }) => encodeLayers(layers, score / 4096));

/** As a layer comes back: VALID where SAME adds nothing, unwired where it reads the layer before. */
function plain(layer: QuantLayer, i: number): QuantLayer {
  const copy = { ...layer };
  if (copy.from === i - 1) delete copy.from;
  if ('padding' in copy) {
    const valid = { ...copy, padding: 'valid' } as const;
    try {
      const [a, b] = [layerGeometry(copy), layerGeometry(valid)];
      if (a.heightOut === b.heightOut && a.widthOut === b.widthOut) return valid;
    } catch {} // a kernel longer than the input has no VALID
  }
  return copy;
}

function dense(changes: Partial<QuantDense> = {}): QuantDense {
  const layer = kernelCases('dense')[0].layer as QuantDense;
  return { ...layer, ...changes };
}

describe('encodeLayers()', () => {
  it('encodeLayers() comes back from decodeLayers() when given any layer', () => {
    fc.assert(
      fc.property(anyLayer, (layer) => {
        const part = encodeLayers([layer], 0.125);
        expect(part.length % 4).toBe(0);
        const again = decodeLayers(part);
        expect(again).toEqual([plain(layer, 0)]);
        expect(encodeLayers(again, 0.125)).toEqual(part);
      }),
      { numRuns: 2000 },
    );
  });

  it('encodeLayers() comes back from decodeLayers() when layers read any one before them', () => {
    fc.assert(
      fc.property(wiredNets, ({ layers }) => {
        const part = encodeLayers(layers, 0);
        const again = decodeLayers(part);
        expect(again).toEqual(layers.map(plain));
        expect(encodeLayers(again, 0)).toEqual(part);
      }),
      { numRuns: 500 },
    );
  });

  it('encodeLayers() comes back from decodeLayers() when given every golden layer', () => {
    for (const operator of OPERATORS) {
      for (const { name, layer } of kernelCases(operator)) {
        const part = encodeLayers([layer], 0);
        expect(encodeLayers(decodeLayers(part), 0), `${operator}: ${name}`).toEqual(part);
      }
    }
  });

  it('infer() equals a direct evaluation in 64-bit integers when the parts are decoded', () => {
    const raw: Pre = {
      ...{ set: 0, zero: 9 },
      offset: Int32Array.from([3, -20, 0]),
      multiplier: Uint16Array.from([40001, 32768, 65535]),
      shift: Uint8Array.from([15, 14, 16]),
    };
    const property = fc.property(wiredNetsOf(6), wiredNetsOf(6), ({ layers, input }, above) => {
      const size = input.length;
      const parts = [
        encodePre(raw),
        encodeLayers(layers, 0),
        encodeLayers(above.layers, 0.11),
      ] as const;
      const pre = decodePre(parts[0]);
      const values = input.map((v, i) => {
        const product = (v - pre.offset[i % 3]) * pre.multiplier[i % 3];
        const q = Math.floor(product / 2 ** pre.shift[i % 3] + 0.5) + pre.zero;
        return Math.max(-128, Math.min(127, q));
      });
      const embedding = referenceNet(decodeLayers(parts[1]), values);
      const logits = referenceNet(decodeLayers(parts[2]), embedding);
      const sorted = [...logits].sort((a, b) => b - a);
      const margin = sorted[0] - sorted[1];
      const got = infer(loadModel(...parts), Int8Array.from(input), size / 3, tier);
      expect(Array.from(got.embedding)).toEqual(embedding);
      expect(Array.from(got.logits)).toEqual(logits);
      expect(got.cls).toBe(logits.indexOf(sorted[0]));
      expect(got.score).toBe(Math.min(255, Math.floor((margin * 451) / 256)));
    });
    fc.assert(property, { numRuns: 200 });
  });

  it('encodeLayers() throws RangeError when layers do not fit', () => {
    const layer = dense();
    expect(() => encodeLayers([layer, layer], 0)).toThrow(/layer 1 does not take/);
    expect(() => encodeLayers([{ ...layer, inputs: 32 }], 0)).toThrow(/does not fit its shape/);
    const beyond = { ...layer, input: { scale: 1, zero: 128 } };
    expect(() => encodeLayers([beyond], 0)).toThrow(/zero point of the input/);
    expect(() => encodeLayers([layer], 17)).toThrow(/score multiplier/);
    const bias = layer.bias.slice().fill(2 ** 31 - 1);
    const weights = layer.weights.slice().fill(100);
    expect(() => encodeLayers([{ ...layer, bias, weights }], 0)).toThrow(/folded bias/);
  });

  it('encodeLayers() throws RangeError when a scale is no positive float32', () => {
    for (const scale of [0, -1, 0.1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const layer = dense({ input: { scale, zero: 0 } });
      expect(() => encodeLayers([layer], 0), `${scale}`).toThrow(RangeError);
    }
  });

  it('encodeLayers() throws RangeError when a layer reads what is not before it, or not alike', () => {
    const layer = dense({ from: 0 });
    expect(() => encodeLayers([layer], 0)).toThrow(/layer 0 reads the output of layer/);
    expect(() => encodeLayers([dense({ from: -2 })], 0)).toThrow(RangeError);
    const logits: QuantLayer = { type: 'softmax', size: 20, input: layer.output, beta: 1 };
    expect(() => encodeLayers([dense(), logits], 0)).not.toThrow();
    expect(() => encodeLayers([dense(), { ...logits, from: -1 }], 0)).toThrow(
      /layer 1 does not take the input/,
    );
  });
});

describe('decodeLayers()', () => {
  it('decodeLayers() throws RangeError when the part is cut short, long or of unknown type', () => {
    const part = encodeLayers([kernelCases('conv2d')[0].layer], 0);
    for (let n = 0; n < part.length; n++) {
      expect(() => decodeLayers(part.subarray(0, n)), `${n}`).toThrow(RangeError);
    }
    expect(() => decodeLayers(new Uint8Array([...part, 0]))).toThrow(RangeError);
    part[4] = 14;
    expect(() => decodeLayers(part)).toThrow(/unknown type 14/);
  });

  it('decodeLayers() gives layers of exactly these bytes or throws RangeError when bytes change', () => {
    const edit = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    let read = 0;
    const property = fc.property(
      anyPart,
      fc.array(edit, { minLength: 1, maxLength: 6 }),
      fc.nat({ max: 60 }), // of the headers as often as of the rest
      fc.boolean(),
      (part, edits, most, early) => {
        const bytes = part.slice();
        for (const [at, value] of edits) bytes[at % (early ? most + 1 : bytes.length)] = value;
        let layers: QuantLayer[];
        try {
          layers = decodeLayers(bytes);
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          return;
        }
        read++;
        const score = (bytes[1]! + 256 * bytes[2]!) / 4096;
        expect(encodeLayers(layers, score)).toEqual(bytes);
      },
    );
    fc.assert(property, { numRuns: 5000 });
    expect(read).toBeGreaterThan(100);
  });

  it('decodeLayers() throws RangeError when given noise', () => {
    const noise = fc.uint8Array({ maxLength: 400 }).filter((bytes) => bytes[0] !== 0);
    fc.assert(
      fc.property(noise, (bytes) => {
        expect(() => decodeLayers(bytes)).toThrow(RangeError);
      }),
      { numRuns: 3000 },
    );
  });

  it('decodeLayers() throws RangeError when a multiplier is not that of the scales', () => {
    const layer = dense();
    const part = encodeLayers([layer], 0);
    const at = 4 + 20 + 660 + 4 * 20; // header, layer header, weights, biases
    const view = new DataView(part.buffer);
    expect(view.getInt32(at, true)).toBeGreaterThanOrEqual(2 ** 30);
    view.setInt32(at, view.getInt32(at, true) - 1, true);
    expect(() => decodeLayers(part)).toThrow(/not as written/);
  });
});
