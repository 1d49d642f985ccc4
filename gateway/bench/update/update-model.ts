import { crc32 } from 'node:zlib';
import { NEVER } from '../../../device/core/messages.ts';
import { kindOf } from '../../../device/kind.ts';
import type { Offer } from '../../link/messages.ts';
import { createRandom } from '../../random.ts';
import type { Task } from '../../task.ts';
import { encodeModel, goldenVectors } from '../../train/model.ts';
import { writeTflite } from '../../train/tflite/write-tflite.ts';
import { denseNet } from '../nets.ts';

/** A model of random weights: what an update costs depends on its shape alone. */
export interface UpdateModel {
  offer: Offer;
  /** pre, backbone, head */
  parts: Uint8Array[];
  /** the same layers as a .tflite file */
  tflite: Uint8Array;
}

/** Features of the set `motion`, and as many golden vectors as a real offer brings. */
const FEATURES = 50;
const GOLDEN = 4;

/**
 * Makes a model for a board.
 *
 * @param sizes units of its dense layers, behind 50 features of motion; the last is the head
 * @param release its number, and the seed of its head
 * @param base seed of the rest: models of one base differ in their heads alone
 */
export function updateModel(
  board: string,
  task: Task,
  sizes: readonly number[],
  release: number,
  base: number,
): UpdateModel {
  const shared = createRandom(base);
  const own = createRandom(release, 1);
  const pre = {
    ...{ set: 2 as const, zero: 0 },
    offset: Int32Array.from({ length: FEATURES }, () => shared.integer(400) - 200),
    multiplier: Uint16Array.from({ length: FEATURES }, () => 32768 + shared.integer(32768)),
    shift: new Uint8Array(FEATURES).fill(18),
  };
  const net = denseNet([FEATURES, ...sizes]).layers;
  const layers = net.map((layer, i) => {
    const random = i === net.length - 1 ? own : shared;
    return {
      ...layer,
      weights: (layer as { weights: Int8Array }).weights.map(() => random.integer(255) - 127),
    };
  }) as typeof net;
  const model = encodeModel({ pre, layers, cut: net.length - 1 });
  const parts = [model.pre, model.backbone, model.head];
  const values = task.window.samples * task.sensor.axes.length;
  const { seed, count, outputs } = goldenVectors(model, values, release, GOLDEN);
  const described = parts.map((part) => {
    const id = new Uint8Array(8);
    new DataView(id.buffer).setUint32(0, crc32(part));
    return [id, part.length, crc32(part)];
  });
  return {
    offer: {
      ...{ release, version: Uint8Array.of(release, base, 2, 3, 4, 5, 6, 7) },
      parts: described as Offer['parts'],
      ...{ goldenSeed: seed, goldenCount: count, golden: outputs, trialWindows: 20 },
      ...{ kind: kindOf(board, task.name), expires: NEVER },
    },
    parts,
    tflite: writeTflite(layers),
  };
}
