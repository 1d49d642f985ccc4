import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../../gateway/errors.ts';
import { layerSizes } from '../../../../gateway/train/quant-layer.ts';
import { readTflite } from '../../../../gateway/train/tflite/read-tflite.ts';
import { layerRunner } from '../../../../gateway/train/tflite/run-tflite.ts';
import { writeTflite } from '../../../../gateway/train/tflite/write-tflite.ts';
import { trainedModels } from '../../../support/trained-models.ts';

const data = join(import.meta.dirname, '../../../../../shared/data');
const models = await trainedModels();
const ours = models.map(({ model }) =>
  writeTflite(model.layers, { 'whetstone.pre': Uint8Array.of(1) }),
);
/** Small ones: those whose damage is likely to hit something other than weights. */
const theirs = globSync(`${data}/bangle-gestures/exports/*.tflite`).map((file) =>
  readFileSync(file),
);
const files = [...ours, ...theirs];
const RUNS = 3000;
/** No outcome may take longer, a whole inference included. */
const LIMIT_MS = 2000;

/** A damaged file is refused by name, or is a model that runs. */
function judge(bytes: Uint8Array): void {
  const begun = performance.now();
  try {
    const { layers } = readTflite(bytes);
    const sizes = [layerSizes(layers[0]!).input, layerSizes(layers.at(-1)!).output];
    expect(layerRunner(layers)(new Int8Array(sizes[0]!))).toHaveLength(sizes[1]!);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(error.code).toBe('bad-model');
  }
  expect(performance.now() - begun).toBeLessThan(LIMIT_MS);
}

const file = fc.constantFrom(...files);
const word = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, 0xffffffff),
);

describe('readTflite() of damaged files', () => {
  it('refuses or runs what has other bytes here and there', () => {
    const edits = fc.array(fc.tuple(fc.nat(), word, fc.constantFrom(1, 2, 4)), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(file, edits, (bytes, changes) => {
        const copy = new Uint8Array(bytes);
        const view = new DataView(copy.buffer);
        for (const [at, value, size] of changes) {
          const place = at % (copy.length - 4);
          if (size === 1) view.setUint8(place, value % 256);
          else if (size === 2) view.setUint16(place, value % 65536, true);
          else view.setUint32(place - (place % 4), value, true);
        }
        judge(copy);
      }),
      { numRuns: RUNS },
    );
  });

  it('refuses or runs what is cut anywhere', () => {
    fc.assert(
      fc.property(file, fc.nat(), (bytes, at) => judge(bytes.slice(0, at % bytes.length))),
      { numRuns: RUNS },
    );
  });

  it('refuses or runs the beginning of one file with the end of another', () => {
    fc.assert(
      fc.property(file, file, fc.nat(), (one, other, at) => {
        const cut = at % Math.min(one.length, other.length);
        judge(Uint8Array.from([...one.slice(0, cut), ...other.slice(cut)]));
      }),
      { numRuns: RUNS / 3 },
    );
  });

  it('refuses or runs what is moved by some bytes in the middle', () => {
    fc.assert(
      fc.property(file, fc.nat(), fc.integer({ min: -8, max: 8 }), (bytes, at, by) => {
        const cut = at % bytes.length;
        const rest = bytes.slice(Math.max(0, cut + by));
        judge(Uint8Array.from([...bytes.slice(0, cut), ...rest]));
      }),
      { numRuns: RUNS / 3 },
    );
  });

  it('makes nothing large of a length that is not true', () => {
    const before = process.memoryUsage().arrayBuffers;
    const bytes = new Uint8Array(ours[0]!);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + 4 <= bytes.length; at += 4) {
      const kept = view.getUint32(at, true);
      for (const length of [0x7ffffff0, 0x10000000, 0x00ffffff]) {
        view.setUint32(at, length, true);
        judge(bytes);
      }
      view.setUint32(at, kept, true);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
  });

  it.skipIf(!existsSync(data))('reads the published models, and refuses the float ones', () => {
    const names = globSync(`${data}/{mlperf-tiny,bangle-gestures/exports}/*.tflite`);
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      const read = () => readTflite(readFileSync(name));
      if (name.includes('noquant')) expect(read, name).toThrow(GatewayError);
      else expect(read().layers.length, name).toBeGreaterThan(3);
    }
  });
});
