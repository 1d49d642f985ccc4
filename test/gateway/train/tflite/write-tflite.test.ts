import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../../gateway/errors.ts';
import { encodeLayers } from '../../../../gateway/train/layer-codec.ts';
import { layerSizes, type QuantLayer } from '../../../../gateway/train/quant-layer.ts';
import { readTflite } from '../../../../gateway/train/tflite/read-tflite.ts';
import { layerRunner } from '../../../../gateway/train/tflite/run-tflite.ts';
import { writeTflite } from '../../../../gateway/train/tflite/write-tflite.ts';
import { randomLayers, wiredNets } from '../../../support/random-layers.ts';
import { inSteps } from '../../../support/tflite-files.ts';
import { trainedModels } from '../../../support/trained-models.ts';

const RUNS = 200;

/** The layers that a file of these layers gives, and that the file is the same each time. */
function again(layers: QuantLayer[]): QuantLayer[] {
  const file = writeTflite(layers);
  expect(Buffer.compare(file, writeTflite(layers))).toBe(0);
  try {
    return readTflite(file).layers;
  } catch (error) {
    // sums that no runtime holds are not read again
    fc.pre(!(error instanceof GatewayError && /may sum up to/.test(error.message)));
    throw error;
  }
}

/** One column is read as one row: the same numbers in a form that smaller kernels know. */
function isColumn(layer: QuantLayer): boolean {
  return 'kernelWidth' in layer && layer.width === 1 && layer.height > 1;
}

describe('writeTflite()', () => {
  it.each(Object.entries(randomLayers))('gives %s back, part for part, when read', (_, layer) => {
    fc.assert(
      fc.property(layer, (one) => {
        const [made] = inSteps([one]) as [QuantLayer];
        fc.pre(!isColumn(made));
        expect(encodeLayers(again([made]), 0)).toEqual(encodeLayers([made], 0));
      }),
      { numRuns: RUNS },
    );
  });

  it('gives nets back whose layers read any layer before them', () => {
    fc.assert(
      fc.property(wiredNets, ({ layers, input }) => {
        const made = inSteps(layers);
        const back = again(made);
        expect(back).toHaveLength(made.length);
        const x = Int8Array.from(input);
        expect(layerRunner(back)(x)).toEqual(layerRunner(made)(x));
      }),
      { numRuns: RUNS },
    );
  });

  it('puts a RESHAPE between a convolution and a dense layer, and no layer comes of it', async () => {
    for (const { model } of await trainedModels()) {
      expect(encodeLayers(again(model.layers), 0)).toEqual(encodeLayers(model.layers, 0));
    }
  });

  it('gives the committed files of the ten trained models, byte for byte', async () => {
    for (const { name, model } of await trainedModels()) {
      const file = join(import.meta.dirname, '../../../vectors/trained', `${name}.tflite`);
      expect(Buffer.compare(writeTflite(model.layers), readFileSync(file)), name).toBe(0);
    }
  });

  it('aligns every constant at 16 bytes, as accelerators ask', async () => {
    const { model } = (await trainedModels())[6]!;
    const file = writeTflite(model.layers, { 'whetstone.cut': Uint8Array.of(1, 2, 3) });
    const at = Buffer.from(file).indexOf(Buffer.from(weightsOf(model.layers[1]!)));
    expect(at).toBeGreaterThan(0);
    expect(at % 16).toBe(0);
    expect(readTflite(file).metadata['whetstone.cut']).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('throws RangeError when a layer reads other steps than it is given', () => {
    const table = { type: 'quantise', size: 2 } as const;
    const [one, two] = [
      { scale: 1, zero: 0 },
      { scale: 2, zero: 0 },
    ];
    const layers = [
      { ...table, input: one, output: two },
      { ...table, input: one, output: two },
    ];
    expect(() => writeTflite(layers)).toThrow(RangeError);
    expect(() => writeTflite([])).toThrow(RangeError);
    expect(layerSizes(layers[0]!)).toEqual({ input: 2, output: 2 });
  });
});

function weightsOf(layer: QuantLayer): Int8Array {
  if (!('weights' in layer)) throw new TypeError('a layer without weights');
  return layer.weights;
}
