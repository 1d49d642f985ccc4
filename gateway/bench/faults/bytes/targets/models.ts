import { crc32 } from 'node:zlib';
import { plainSuite } from '../../../../../device/core/frame.ts';
import { OFFER, pack } from '../../../../../device/core/messages.ts';
import { loadModel, selfTest } from '../../../../../device/core/model.ts';
import {
  headOf,
  NONE,
  partAt,
  partOf,
  readSlot,
  type SlotConfig,
  slotStart,
} from '../../../../../device/core/slot.ts';
import { MOST_GOLDEN } from '../../../../../device/core/update.ts';
import { type Composed, compose } from '../../../../compose.ts';
import { realClock } from '../../../../link/port.ts';
import { exportVersion, importFile } from '../../../../model-files.ts';
import { decodeManifest, encodeManifest } from '../../../../registry/manifest.ts';
import { loadTask, type Task } from '../../../../task.ts';
import { tier } from '../../../../train/gateway-tier.ts';
import {
  decodeModel,
  encodeModel,
  goldenVectors,
  type ModelParts,
} from '../../../../train/model.ts';
import { decodePre } from '../../../../train/pre.ts';
import { layerSizes } from '../../../../train/quant-layer.ts';
import { readTflite } from '../../../../train/tflite/read-tflite.ts';
import { layerRunner } from '../../../../train/tflite/run-tflite.ts';
import { writeTflite } from '../../../../train/tflite/write-tflite.ts';
import { denseNet } from '../../../nets.ts';
import { tinyModel } from '../../tiny-model.ts';
import { cborMutators, flatbufferMutators } from '../forms.ts';
import type { Mutator } from '../mutate.ts';
import { tried } from '../refusal.ts';
import type { MakeTarget } from '../target.ts';
import { fileNets } from './nets.ts';

const VALUES = 150;

/** Statistics of a window, a hidden layer and a head. */
function goodModel(): ModelParts {
  const { layers } = denseNet([27, 12, 6]);
  return encodeModel({ pre: decodePre(tinyModel(1).parts[0]!), layers, cut: 1 });
}

/** A gateway that keeps nothing, with one version. */
function gatewayWithVersion(): { gateway: Composed; task: Task; version: string } {
  const task = loadTask('gesture');
  const gateway = compose({
    ...{ task, directory: ':memory:', clock: realClock, automatic: false, seed: 1 },
  });
  const model = goodModel();
  const golden = goldenVectors(model, VALUES, 1);
  const version = gateway.registry.register(
    model,
    {
      ...{ task: task.name, taskHash: '00'.repeat(32), scope: { kind: 'fleet', id: '' } },
      ...{ parent: null, budgets: { bytes: 900 } },
      golden: { ...golden, outputs: Int8Array.from(golden.outputs) },
      lineage: { dataSnapshot: '11'.repeat(32), codeVersion: '1', seed: 1, rung: 'whole' },
    },
    {},
  );
  return { gateway, task, version };
}

/** Files of the importer, those that Whetstone itself wrote among them: what is taken also runs. */
export const tflite: MakeTarget = async () => {
  const { gateway, task, version } = gatewayWithVersion();
  const files = [
    exportVersion(gateway.registry, version, 'tflite', task),
    ...fileNets().map((layers) => writeTflite(layers, { 'whetstone.pre': Uint8Array.of(1) })),
  ];
  return {
    corpus: files,
    mutators: flatbufferMutators,
    take: (bytes) => {
      const outcome = tried(() => {
        const { layers } = readTflite(bytes);
        const said = layerRunner(layers)(new Int8Array(layerSizes(layers[0]!).input));
        if (said.length !== layerSizes(layers.at(-1)!).output)
          throw new Error('a net of other size');
      }, 'bad-model');
      const imported = tried(
        () => importFile({ ...gateway, task }, bytes, { look: true }),
        'bad-model',
      );
      return outcome === 'taken' ? outcome : imported;
    },
    close: () => gateway.close(),
  };
};

/** Manifests, as a .tflite file carries them. They are hashed before they are believed. */
export const manifests: MakeTarget = async () => {
  const { gateway, version } = gatewayWithVersion();
  const good = encodeManifest(gateway.registry.get(version).manifest);
  await gateway.close();
  return {
    corpus: [good],
    mutators: cborMutators(0),
    take: (bytes) => {
      try {
        encodeManifest(decodeManifest(bytes));
        return 'taken';
      } catch (error) {
        if (error instanceof Error) return 'refused';
        throw error;
      }
    },
  };
};

/** Parts of a model: a byte that says which, then its bytes. What is read is as it was written. */
export const parts: MakeTarget = async () => {
  const good = goodModel();
  const names = ['pre', 'backbone', 'head'] as const;
  const nets = fileNets().map((layers) => encodeModel({ ...decodeModel(good), layers, cut: 1 }));
  return {
    corpus: [good, ...nets].flatMap((model) =>
      names.map((name, i) => Uint8Array.from([i, ...model[name]])),
    ),
    mutators: [],
    take: (bytes) => {
      const name = names[(bytes[0] ?? 0) % 3]!;
      try {
        decodeModel({ ...good, [name]: bytes.slice(1) });
        return 'taken';
      } catch (error) {
        if (error instanceof RangeError) return 'refused';
        throw error;
      }
    },
  };
};

/** Slots of the device's flash, read and tested as at its boot and before a trial. */
export const images: MakeTarget = async () => {
  const { gateway, task, version } = gatewayWithVersion();
  const good = exportVersion(gateway.registry, version, 'image', task);
  await gateway.close();
  return {
    corpus: [good],
    mutators: [resealed, resealed],
    take: (bytes) => {
      const config = slotConfig(bytes);
      const head = readSlot(config, 0);
      if (head === NONE) return 'refused';
      const part = (i: number): Uint8Array => partOf(config, 0, head, i).slice();
      const f = head.f;
      try {
        // as the device attempts it: what throws is not installed
        const model = loadModel(part(0), part(1), part(2));
        if (!isSized({ pre: part(0), backbone: part(1), head: part(2) })) return 'refused';
        return f[4] <= MOST_GOLDEN && selfTest(model, f[3], f[4], VALUES, f[5], tier)
          ? 'taken'
          : 'refused';
      } catch (error) {
        if (error instanceof Error) return 'refused';
        throw error;
      }
    },
  };
};

/** Values that all layers of a model give together, at most: beyond every board. */
const MOST_VALUES = 100_000;

/**
 * Whether the gateway that sends a model can read it, and no layer of it claims a size beyond all reason. A
 * device looks at neither: who has its key can keep it busy; see docs/security.md.
 */
function isSized(model: ModelParts): boolean {
  const sizes = decodeModel(model).layers.map((layer) => layerSizes(layer));
  return sizes.reduce((sum, { output }) => sum + output, 0) <= MOST_VALUES;
}

const PAGE = 1024;
const PAGES = 4;

/** Flash with these bytes in slot A, erased behind them. */
function slotConfig(bytes: Uint8Array): SlotConfig {
  const flash = new Uint8Array(PAGE * (2 + 2 * PAGES)).fill(255);
  flash.set(bytes.subarray(0, PAGE * PAGES), 2 * PAGE);
  return {
    ...{ page: PAGE, slotPages: PAGES, ...plainSuite(crc32), crc32 },
    read: (at, n) => flash.subarray(at, at + n),
  };
}

/** Makes every checksum of a damaged slot right again, where its offer can still be read. */
const resealed: Mutator = (bytes) => {
  const length = (bytes[0] ?? 0) + 256 * (bytes[1] ?? 0);
  const head = headOf(bytes.slice(4, length));
  if (head === NONE || length < 8) return bytes;
  const places = head.f[2].map((_, i) => partAt(head, i));
  const refs = head.f[2].map(([id, size], i): [Uint8Array, number, number] => {
    return [id, size, crc32(bytes.slice(places[i]!, places[i]! + size))];
  });
  const [release, version, , ...rest] = head.f;
  const next = headOf(pack(OFFER, [release, version, refs, ...rest]));
  if (next === NONE || next.b.length !== head.b.length) return bytes;
  const out = bytes.slice();
  const start = slotStart(slotConfig(bytes), next);
  if (start.length <= out.length) out.set(start);
  return out;
};
