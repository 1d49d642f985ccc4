import { crc32 } from 'node:zlib';
import { plainSuite } from '../device/core/frame.ts';
import { NEVER } from '../device/core/messages.ts';
import { headOf, partAt, type SlotConfig, slotStart } from '../device/core/slot.ts';
import { MOST_GOLDEN } from '../device/core/update.ts';
import whetstone from '../package.json' with { type: 'json' };
import { fitBoards } from './board-fit.ts';
import type { Format, ImportView } from './calls.ts';
import { GatewayError } from './errors.ts';
import { hashOf, modelBytes } from './heal.ts';
import { composeMessage } from './link/messages.ts';
import {
  decodeManifest,
  encodeManifest,
  parseScope,
  partNames,
  scopeName,
  shortId,
} from './registry/manifest.ts';
import type { Registry } from './registry/registry.ts';
import { sha256 } from './store/catalogue.ts';
import type { Store } from './store/store.ts';
import type { Task } from './task.ts';
import {
  decodeModel,
  encodeModel,
  goldenVectors,
  type ModelParts,
  type QuantModel,
  tellingVectors,
} from './train/model.ts';
import { summarise } from './train/model-summary.ts';
import { writeOnnx } from './train/onnx/write-onnx.ts';
import { decodePre, type Pre } from './train/pre.ts';
import { fitTask, suits } from './train/tflite/fit-task.ts';
import { readTflite, type TfliteModel } from './train/tflite/read-tflite.ts';
import { writeTflite } from './train/tflite/write-tflite.ts';

/** Buffers of a .tflite file that only Whetstone reads: what its operators cannot say. */
const METADATA = { pre: 'whetstone.pre', cut: 'whetstone.cut', manifest: 'whetstone.manifest' };
/** Golden windows of an imported version, as of a trained one; see heal.ts. */
const GOLDEN = { seed: 1, count: 4 };
/** Of a version that was never released: the number that a first release would have. */
const FIRST_RELEASE = 1;

/**
 * Writes a version as a file.
 *
 * - `tflite`: its layers, int8 in and out; normalisation, cut and manifest travel as metadata, so
 *   that importing the file gives the same version.
 * - `onnx`: its layers in QDQ form, int8 in and out.
 * - `image`: a slot of the device's flash, see device/core/slot.ts, under its newest release.
 *
 * The input of the first two is the window after `pre`, which has no operator: features are computed
 * and normalised on the device, in integers.
 *
 * @throws GatewayError 'not-found' if there is no such version
 */
export function exportVersion(
  registry: Registry,
  version: string,
  format: Format,
  task: Task,
): Uint8Array {
  const { manifest } = registry.get(version);
  const parts = registry.parts(version);
  if (format === 'image') return slotImage(registry, version, task);
  const model = decodeModel(parts);
  if (format === 'onnx') return writeOnnx(model.layers);
  return writeTflite(model.layers, {
    [METADATA.pre]: parts.pre,
    [METADATA.cut]: Uint8Array.of(model.cut),
    [METADATA.manifest]: encodeManifest(manifest),
  });
}

/**
 * A slot as its page has it: what lies between its parts is erased.
 *
 * @param kind of the board that it is for, see device/kind.ts; 0 where that is not known
 */
export function slotImage(registry: Registry, version: string, task: Task, kind = 0): Uint8Array {
  const { manifest } = registry.get(version);
  const { parts, golden } = manifest;
  const bytes = registry.parts(version);
  const suite = plainSuite(crc32);
  const head = headOf(
    composeMessage('offer', {
      release: registry.latestRelease(version) ?? FIRST_RELEASE,
      version: shortId(version),
      parts: partNames.map((name) => {
        const { sha256, length, crc32: crc } = parts[name];
        return [shortId(sha256), length, crc];
      }) as [PartField, PartField, PartField],
      ...{ goldenSeed: golden.seed, goldenCount: golden.count },
      golden: Uint8Array.from(golden.outputs),
      ...{ trialWindows: task.rollout.trialWindows, kind, expires: NEVER },
    }),
  );
  const image = new Uint8Array(partAt(head, partNames.length)).fill(0xff);
  image.set(slotStart(suite as SlotConfig, head));
  partNames.forEach((name, i) => {
    image.set(bytes[name], partAt(head, i));
  });
  return image;
}

type PartField = [id: Uint8Array, length: number, crc32: number];

/**
 * Reads a .tflite file as a model of a task, and registers it as a candidate.
 *
 * @param file the whole file
 * @param options look: only look, and register nothing
 * @returns the version (null after a look) and what was found
 * @throws GatewayError 'bad-model' if the file is none for this task, or damaged
 */
export function importFile(
  { store, registry, task }: { store: Store; registry: Registry; task: Task },
  file: Uint8Array,
  options: { look: boolean; who?: string },
): ImportView {
  const read = readTflite(file);
  const pre = carriedPre(read, task);
  const fitted = fitTask(read, task, pre);
  const whole = pre === undefined ? undefined : exported(read, pre, task);
  const { model, parts } = whole ?? { model: fitted.model, parts: partsOf(fitted.model) };
  const report: ImportView['report'] = {
    file: sha256(file),
    exported: whole !== undefined,
    notes: whole === undefined ? fitted.notes : [],
    ...summarise(model.layers),
    parts: partNames.map((part) => ({ part, bytes: parts[part].length })),
    boards: fitBoards(model, parts, task),
  };
  if (options.look) return { version: null, report };
  const meta = whole?.manifest ?? {
    task: task.name,
    taskHash: hashOf(task),
    scope: { kind: 'fleet' as const, id: '' },
    parent: null,
    golden: goldenOf(parts, task, tellingVectors(parts, valuesOf(task), GOLDEN.seed, GOLDEN.count)),
    lineage: {
      dataSnapshot: store.catalogue.addSnapshot([], Date.now()),
      ...{ codeVersion: whetstone.version, seed: 0, rung: 'import' },
    },
    budgets: { bytes: modelBytes(parts) },
  };
  return { version: registry.register(parts, meta, { imported: report }, options.who), report };
}

function partsOf(model: QuantModel): ModelParts {
  try {
    return encodeModel(model);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const message = `the model does not fit the form that devices read: ${cause.message}`;
    throw new GatewayError('bad-model', message, { cause, hint: 'make it smaller' });
  }
}

const valuesOf = ({ window, sensor }: Task): number => window.samples * sensor.axes.length;

function goldenOf(parts: ModelParts, task: Task, { seed, count }: { seed: number; count: number }) {
  const { outputs } = goldenVectors(parts, valuesOf(task), seed, count);
  return { seed, count, outputs: Int8Array.from(outputs) };
}

/** The normalisation that a file carries, if it is one for this task. */
function carriedPre({ metadata }: TfliteModel, task: Task): Pre | undefined {
  const bytes = metadata[METADATA.pre];
  if (bytes === undefined) return undefined;
  try {
    const pre = decodePre(bytes);
    return suits(pre, task) ? pre : undefined;
  } catch {
    return undefined; // metadata that does not hold together says nothing
  }
}

/**
 * The version that a file was exported from: only if the parts that its tensors give are those of
 * its manifest, and give the logits that it promises. Changed since, it is a file like any other.
 */
function exported({ layers, metadata }: TfliteModel, pre: Pre, task: Task) {
  const { [METADATA.cut]: cut, [METADATA.manifest]: bytes } = metadata;
  if (cut === undefined || bytes === undefined) return undefined;
  try {
    const model = { pre, layers, cut: cut[0] ?? 0 };
    const parts = encodeModel(model);
    const manifest = decodeManifest(bytes);
    const { kind, id } = manifest.scope;
    const isSound =
      Buffer.compare(encodeManifest(manifest), bytes) === 0 &&
      scopeName(parseScope(scopeName({ kind, id }))) === scopeName({ kind, id });
    const same = partNames.every((name) => sha256(parts[name]) === manifest.parts[name].sha256);
    const { seed, count, outputs } = manifest.golden;
    if (!isSound || !same || manifest.task !== task.name || count > MOST_GOLDEN) return undefined;
    const golden = goldenOf(parts, task, { seed, count });
    return String(golden.outputs) === String(outputs) ? { model, parts, manifest } : undefined;
  } catch {
    return undefined;
  }
}
