import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { integers } from '../../gateway/bench/faults/tiny-model.ts';
import { type Composed, compose } from '../../gateway/compose.ts';
import { GatewayError } from '../../gateway/errors.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import { exportVersion, importFile } from '../../gateway/model-files.ts';
import { decodeManifest, encodeManifest } from '../../gateway/registry/manifest.ts';
import { syntheticRecordings } from '../../gateway/synthetic/recordings.ts';
import { createPredictor, decodeModel } from '../../gateway/train/model.ts';
import { encodePre } from '../../gateway/train/pre.ts';
import type { QuantLayer } from '../../gateway/train/quant-layer.ts';
import { retrain } from '../../gateway/train/retrain.ts';
import { RUNGS } from '../../gateway/train/rungs.ts';
import { readTflite } from '../../gateway/train/tflite/read-tflite.ts';
import { writeTflite } from '../../gateway/train/tflite/write-tflite.ts';
import { registerModel } from '../support/model-gateway.ts';
import { ann } from '../support/people.ts';
import { rawTask } from '../support/tasks.ts';
import { inSteps } from '../support/tflite-files.ts';
import { trainedModels } from '../support/trained-models.ts';

const [, , , , one] = await trainedModels();
const { model, task } = one!;
let gateway: Composed;
let file: Uint8Array;
let version: string;

const open = (of = task) =>
  compose({ task: of, directory: ':memory:', clock: virtualClock(1), automatic: false, seed: 1 });

beforeAll(() => {
  gateway = open();
  version = registerModel(gateway, model);
  file = exportVersion(gateway.registry, version, 'tflite', task);
  return () => gateway.close();
});

/** The export with other metadata. */
function withMetadata(changes: Record<string, Uint8Array>): Uint8Array {
  const { layers, metadata } = readTflite(file);
  return writeTflite(layers, { ...metadata, ...changes });
}

describe('importFile()', () => {
  it('refuses a damaged export or makes a version that runs of it, never another outcome', () => {
    const other = open();
    const edit = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const bytes = file.slice();
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        try {
          const { version: made } = importFile(other, bytes, { look: false });
          const parts = other.registry.parts(made!);
          expect(createPredictor(parts)(new Int8Array(150), 50).logits).toHaveLength(6);
          expect(other.registry.verify(made!)).toEqual({ ok: true });
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error;
          expect(error.code).toBe('bad-model');
        }
      }),
      { numRuns: 1000 },
    );
    return other.close();
  });

  const manifest = () => gateway.registry.get(version).manifest;
  it.each<[string, () => Record<string, Uint8Array>]>([
    ['nonsense', () => ({ 'whetstone.manifest': Uint8Array.of(1, 2, 3) })],
    [
      'bytes behind it',
      () => ({
        'whetstone.manifest': Uint8Array.from([...encodeManifest(manifest()), 0]),
      }),
    ],
    [
      'other golden logits',
      () => {
        const { golden } = manifest();
        const outputs = golden.outputs.map((q) => q ^ 1);
        return {
          'whetstone.manifest': encodeManifest({ ...manifest(), golden: { ...golden, outputs } }),
        };
      },
    ],
    [
      'a scope of no kind',
      () => {
        const scope = { kind: 'galaxy' as 'fleet', id: 'x' };
        return { 'whetstone.manifest': encodeManifest({ ...manifest(), scope }) };
      },
    ],
    [
      'more golden windows than anybody needs',
      () => {
        const golden = { ...manifest().golden, count: 1e9 };
        return { 'whetstone.manifest': encodeManifest({ ...manifest(), golden }) };
      },
    ],
    ['another cut', () => ({ 'whetstone.cut': Uint8Array.of(1) })],
    ['another normalisation', () => ({ 'whetstone.pre': encodePre({ ...model.pre, zero: 9 }) })],
  ])('takes an export whose manifest has %s for a plain file', (_what, changes) => {
    const { report } = importFile(gateway, withMetadata(changes()), { look: true });
    expect(report.exported).toBe(false);
  });

  it('takes the normalisation for counts when the one that came is for other windows', () => {
    const pre = encodePre({ ...model.pre, set: 2 });
    const who = 'ann (operator)';
    const made = importFile(gateway, withMetadata({ 'whetstone.pre': pre }), { look: false, who });
    const [event] = gateway.store.journal.find({ subject: made.version! });
    expect([event?.kind, event?.data.who]).toEqual(['model.registered', who]);
    const { pre: own } = decodeModel(gateway.registry.parts(made.version!));
    expect([own.set, own.offset.length, own.zero]).toEqual([0, 3, model.layers[0]!.input.zero]);
  });

  it('gives the manifest back as it was', () => {
    const other = open();
    const { version: back } = importFile(other, file, { look: false });
    expect(back).toBe(version);
    expect(encodeManifest(other.registry.get(back!).manifest)).toEqual(encodeManifest(manifest()));
    expect(decodeManifest(encodeManifest(manifest()))).toEqual(manifest());
    return other.close();
  });

  it('names the boards that a large model does not fit, and why', () => {
    const { report } = importFile(gateway, writeTflite(large()), { look: true });
    const puck = report.boards.find(({ board }) => board === 'puckjs');
    expect(puck?.fits).toBe(false);
    expect(puck?.why[0]).toMatch(/^\d+ bytes, a slot has 4096$/);
  });
});

describe('retrain() of an imported model', () => {
  it('teaches its head alone, and then what the task has instead, when its layers cannot learn', async () => {
    const raw = rawTask();
    const other = open(raw);
    const { version: imported } = importFile(other, writeTflite(large()), { look: false });
    const champion = decodeModel(other.registry.parts(imported!));
    const fresh = syntheticRecordings(raw, ann, 8, 5);
    const { attempts } = await retrain({
      ...{ task: raw, champion, championReference: null, isUpdated: false, mustPass: [], seed: 1 },
      data: { fresh, old: [], recent: fresh },
      championSaid: fresh.map(() => 0),
      origins: fresh.map(() => ({ device: 'w', source: 'person' })),
      ...{
        memory: [],
        recentByDevice: new Map(),
        lately: new Map(),
        labelled: new Map(),
        isShared: false,
      },
      regimes: [],
      budgets: () => [],
    });
    const [head] = attempts;
    expect(RUNGS).toContain('layers');
    expect(attempts.map(({ rung }) => rung)).not.toContain('layers');
    expect(head!.rung).toBe('head');
    expect(head!.parts.backbone).toEqual(other.registry.parts(imported!).backbone);
    await other.close();
  });
});

/** A depthwise block with a way around it, its pools, and a dense layer: 50 × 3 to 6. */
function large(): QuantLayer[] {
  const random = integers(3);
  const input = { scale: 1, zero: 0 };
  const output = { scale: 2, zero: -5 };
  const numbers = (rows: number, size: number) => ({
    weights: Int8Array.from({ length: rows * size }, () => random(255) - 127),
    bias: Int32Array.from({ length: rows }, () => random(99)),
    weightScale: Float32Array.of(2 ** -8),
    ...{ input, output },
  });
  const plane = {
    ...{ height: 1, width: 50, channels: 3, kernelHeight: 1, kernelWidth: 3 },
    ...{ strideHeight: 1, strideWidth: 1, padding: 'same' as const },
  };
  return inSteps([
    { type: 'depthwise2d', ...plane, depthMultiplier: 1, ...numbers(3, 3), activation: 'relu' },
    { type: 'add', size: 150, from2: -1, input, input2: input, output, activation: 'none' },
    { type: 'conv2d', ...plane, filters: 60, ...numbers(60, 9), activation: 'relu' },
    {
      type: 'conv2d',
      ...plane,
      channels: 60,
      filters: 24,
      ...numbers(24, 180),
      activation: 'relu',
    },
    { type: 'mean', height: 1, width: 50, channels: 24, input, output },
    { type: 'dense', inputs: 24, outputs: 6, ...numbers(6, 24), activation: 'none' },
  ]);
}
