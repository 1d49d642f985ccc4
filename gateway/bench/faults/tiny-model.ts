import { crc32 } from 'node:zlib';
import { MESSAGES, NEVER, OFFER } from '../../../device/core/messages.ts';
import type { Offer } from '../../../device/core/slot.ts';
import { kindOf } from '../../../device/kind.ts';
import type { Offer as NamedOffer } from '../../link/messages.ts';
import { encodeLayers } from '../../train/layer-codec.ts';
import { createPredictor, goldenVectors, type ModelParts } from '../../train/model.ts';
import { encodePre } from '../../train/pre.ts';

const FEATURES = 27;
const HIDDEN = 12;
const CLASSES = 6;
const VALUES = 150;

/** A model of random weights: nothing is learned, everything is compared. */
export interface TinyModel {
  offer: Offer;
  /** pre, backbone, head */
  parts: Uint8Array[];
  predict: ReturnType<typeof createPredictor>;
}

/** Pseudo-random integers, the same for a seed everywhere. */
export function integers(seed: number): (below: number) => number {
  let state = seed * 2654435761;
  return (below) => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return Math.floor((state / 4294967296) * below);
  };
}

function dense(seed: number, inputs: number, outputs: number, relu: boolean): Uint8Array {
  const random = integers(seed);
  return encodeLayers(
    [
      {
        type: 'dense',
        inputs,
        outputs,
        weights: Int8Array.from({ length: inputs * outputs }, () => random(255) - 127),
        bias: Int32Array.from({ length: outputs }, () => random(4000) - 2000),
        weightScale: Float32Array.of(Math.SQRT1_2 / 256),
        input: { scale: 1, zero: 0 },
        output: { scale: 1, zero: relu ? -128 : 3 },
        activation: relu ? 'relu' : 'none',
      },
    ],
    relu ? 0 : 0.1,
  );
}

/**
 * Makes a model for windows of 50 × 3.
 *
 * @param release its number, and the seed of its head
 * @param base seed of the rest: two models of one base share pre and backbone
 * @param hidden units of its hidden layer: what makes it large
 */
export function tinyModel(
  release: number,
  base = 1,
  trialWindows = 20,
  hidden = HIDDEN,
): TinyModel {
  const random = integers(base);
  const parts: ModelParts = {
    pre: encodePre({
      set: 1,
      zero: 0,
      offset: Int32Array.from({ length: FEATURES }, () => random(400) - 200),
      multiplier: Uint16Array.from({ length: FEATURES }, () => 32768 + random(32768)),
      shift: Uint8Array.from({ length: FEATURES }, () => 18),
    }),
    backbone: dense(base + 100, FEATURES, hidden, true),
    head: dense(release + 200, hidden, CLASSES, false),
  };
  return offered(parts, { release, base, trialWindows, values: VALUES });
}

/** Any model, as a gateway offers it. */
export function offered(
  parts: ModelParts,
  of: { release: number; base?: number; trialWindows?: number; values: number },
): TinyModel {
  const { release, base = 1, trialWindows = 20, values } = of;
  const bytes = [parts.pre, parts.backbone, parts.head];
  const golden = goldenVectors(parts, values, 77, 3);
  const id = (part: Uint8Array): Uint8Array => {
    const out = new Uint8Array(8);
    new DataView(out.buffer).setUint32(0, crc32(part));
    return out;
  };
  const version = new Uint8Array(8);
  version.set([release % 256, base % 256]);
  return {
    offer: [
      release,
      version,
      bytes.map((part) => [id(part), part.length, crc32(part)]),
      golden.seed,
      golden.count,
      golden.outputs,
      trialWindows,
      kindOf('espruino-linux', 'gesture'),
      NEVER,
    ],
    parts: bytes,
    predict: createPredictor(parts),
  };
}

/** A model's offer with its fields by name, as the gateway has it. */
export function offerOf(model: TinyModel): NamedOffer {
  const row = MESSAGES.find(({ code }) => code === OFFER);
  const names = Object.keys(row?.fields ?? {});
  return Object.fromEntries(
    names.map((name, i) => [name, model.offer[i]]),
  ) as unknown as NamedOffer;
}

/** A window like a movement: a random walk of 50 × 3. */
export function walk(seed: number): Int8Array {
  const random = integers(seed + 1);
  const out = new Int8Array(VALUES);
  for (let i = 0; i < VALUES; i++) {
    out[i] = Math.max(-128, Math.min(127, (i > 2 ? out[i - 3] : 0) + random(41) - 20));
  }
  return out;
}
