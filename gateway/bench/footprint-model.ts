import { crc32 } from 'node:zlib';
import { NEVER } from '../../device/core/messages.ts';
import { kindOf } from '../../device/kind.ts';
import type { Offer } from '../link/messages.ts';
import { createRandom } from '../random.ts';
import type { Task } from '../task.ts';
import { createPredictor, encodeModel, goldenVectors, type Predictor } from '../train/model.ts';
import { denseNet } from './nets.ts';

/** A model of random weights in the largest shape of a task: space depends on the shape alone. */
export interface FootprintModel {
  offer: Offer;
  /** pre, backbone, head */
  parts: Uint8Array[];
  predict: Predictor;
}

/** Features of the set `motion`. */
const FEATURES = 50;
/** As many golden vectors as a real offer brings. */
const GOLDEN = 4;

/**
 * Makes a model.
 *
 * @param release its number; two models share `pre` and no more
 * @param task whose features are those of motion, and whose layers are dense
 * @throws RangeError for another task
 */
export function footprintModel(release: number, task: Task): FootprintModel {
  const { layers, deeper = layers } = task.architecture;
  const sizes = deeper.flatMap((layer) => (layer.type === 'dense' ? [layer.units] : []));
  if (task.features !== 'motion' || sizes.length < deeper.length) {
    throw new RangeError(`the footprint of '${task.name}' is not known: its layers are not dense`);
  }
  const shared = createRandom(0);
  const pre = {
    ...{ set: 2 as const, zero: 0 },
    offset: Int32Array.from({ length: FEATURES }, () => shared.integer(400) - 200),
    multiplier: Uint16Array.from({ length: FEATURES }, () => 32768 + shared.integer(32768)),
    shift: new Uint8Array(FEATURES).fill(18),
  };
  const random = createRandom(release);
  const net = denseNet([FEATURES, ...sizes]).layers.map((layer) => ({
    ...layer,
    weights: (layer as { weights: Int8Array }).weights.map(() => random.integer(255) - 127),
  }));
  const model = encodeModel({ pre, layers: net as never, cut: net.length - 1 });
  const parts = [model.pre, model.backbone, model.head];
  const { seed, count, outputs } = goldenVectors(
    model,
    task.window.samples * task.sensor.axes.length,
    77,
    GOLDEN,
  );
  const described = parts.map((part) => {
    const id = new Uint8Array(8);
    new DataView(id.buffer).setUint32(0, crc32(part));
    return [id, part.length, crc32(part)];
  });
  return {
    offer: {
      ...{ release, version: Uint8Array.of(release, 1, 2, 3, 4, 5, 6, 7) },
      parts: described as Offer['parts'],
      ...{ goldenSeed: seed, goldenCount: count, golden: outputs, trialWindows: 20 },
      ...{ kind: kindOf('puckjs', task.name), expires: NEVER },
    },
    parts,
    predict: createPredictor(model),
  };
}
