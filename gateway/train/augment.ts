import { createRandom, type Random } from '../random.ts';
import type { Task } from '../task.ts';

/** A labelled stretch of raw samples: int8 [samples][axes], zero after its first `length` samples. */
export interface LabelledWindow {
  window: Int8Array;
  length: number;
  cls: number;
}

/** How strongly windows are varied: the task says what each field means, and how it was chosen. */
export type AugmentOptions = Task['training']['augment'];

/** A movement shorter than this has no features worth having; 0.6 s at 12.5 Hz. */
const SHORTEST = 8;

/**
 * Makes many windows of few, as the same movement could have been recorded another time.
 *
 * @param examples labelled windows of one wearer, of equal size; the noise is measured on them
 * @param axes values in a sample
 * @param seed decides everything
 * @param options how strongly
 * @returns new windows of the same size, class by class; none is an exact copy
 * @throws RangeError if windows differ in size, or a turn is asked for without three axes
 */
export function augment<T extends LabelledWindow>(
  examples: readonly T[],
  axes: number,
  seed: number,
  options: AugmentOptions,
): LabelledWindow[] {
  const size = examples[0]?.window.length ?? 0;
  if (examples.some(({ window }) => window.length !== size) || size % axes !== 0) {
    throw new RangeError(`windows of unequal size, or not of ${axes} axes`);
  }
  if (options.rotationDegrees > 0 && axes !== 3) {
    throw new RangeError(`${axes} axes cannot be turned: set rotationDegrees to 0`);
  }
  const random = createRandom(seed);
  const magnitude = meanMagnitude(examples, axes);
  const byClass = new Map<number, T[]>();
  for (const example of examples) {
    byClass.set(example.cls, [...(byClass.get(example.cls) ?? []), example]);
  }
  const made: LabelledWindow[] = [];
  const movement = new Float64Array(size);
  for (const cls of [...byClass.keys()].sort((a, b) => a - b)) {
    const choices = byClass.get(cls)!;
    for (let i = 0; i < options.perClass; i++) {
      const source = choices[random.integer(choices.length)];
      const length = warp(source, axes, movement, random, options);
      vary(movement, length, axes, random, options);
      made.push({
        window: finish(movement, length, axes, magnitude, random, options),
        length,
        cls,
      });
    }
  }
  return made;
}

/** Mean length of the vector of a sample, over all samples that are not padding. */
function meanMagnitude(examples: readonly LabelledWindow[], axes: number): number {
  let sum = 0;
  let count = 0;
  for (const { window, length } of examples) {
    for (let t = 0; t < length; t++) {
      sum += Math.hypot(...window.subarray(t * axes, (t + 1) * axes));
      count++;
    }
  }
  return count === 0 ? 0 : sum / count;
}

// time: length, bends, start and end; linear between samples, the edge sample repeats outside
function warp(
  { window, length }: LabelledWindow,
  axes: number,
  movement: Float64Array,
  random: Random,
  options: AugmentOptions,
): number {
  const samples = window.length / axes;
  const wanted = Math.round(length * Math.exp(random.gaussian() * options.tempo));
  const result = Math.min(Math.max(wanted, SHORTEST), samples);
  const start = random.gaussian() * options.shiftSamples;
  const end = random.gaussian() * options.shiftSamples;
  const bend1 = (random.gaussian() * options.bend) / Math.PI;
  const bend2 = (random.gaussian() * options.bend) / (2 * Math.PI);
  for (let t = 0; t < result; t++) {
    const u = result === 1 ? 0 : t / (result - 1);
    const bent = u + bend1 * Math.sin(Math.PI * u) + bend2 * Math.sin(2 * Math.PI * u);
    const place = start + bent * (length - 1 + end - start);
    const at = Math.min(Math.max(place, 0), length - 1);
    const before = Math.floor(at);
    const after = Math.min(before + 1, length - 1);
    for (let a = 0; a < axes; a++) {
      const from = window[before * axes + a];
      movement[t * axes + a] = from + (at - before) * (window[after * axes + a] - from);
    }
  }
  return result;
}

// strength about the mean, then a turn and a gain of the whole
function vary(
  movement: Float64Array,
  length: number,
  axes: number,
  random: Random,
  options: AugmentOptions,
): void {
  const strength = Math.exp(random.gaussian() * options.amplitude);
  for (let a = 0; a < axes; a++) {
    let mean = 0;
    for (let t = 0; t < length; t++) mean += movement[t * axes + a] / length;
    for (let t = 0; t < length; t++) {
      movement[t * axes + a] = mean + (movement[t * axes + a] - mean) * strength;
    }
  }
  if (options.rotationDegrees > 0) turn(movement, length, random, options);
  const gain = Math.exp(random.gaussian() * options.gain);
  for (let i = 0; i < length * axes; i++) movement[i] *= gain;
}

/** Rodrigues' formula, about a random vector whose length is the angle. */
function turn(
  movement: Float64Array,
  length: number,
  random: Random,
  options: AugmentOptions,
): void {
  const radians = (options.rotationDegrees * Math.PI) / 180;
  const turns = [random.gaussian(), random.gaussian(), random.gaussian()];
  const norm = Math.hypot(...turns);
  if (norm === 0) return;
  const [kx, ky, kz] = turns.map((part) => part / norm);
  const cos = Math.cos(norm * radians);
  const sin = Math.sin(norm * radians);
  for (let i = 0; i < length * 3; i += 3) {
    const x = movement[i];
    const y = movement[i + 1];
    const z = movement[i + 2];
    const along = (kx * x + ky * y + kz * z) * (1 - cos);
    movement[i] = x * cos + (ky * z - kz * y) * sin + kx * along;
    movement[i + 1] = y * cos + (kz * x - kx * z) * sin + ky * along;
    movement[i + 2] = z * cos + (kx * y - ky * x) * sin + kz * along;
  }
}

function finish(
  movement: Float64Array,
  length: number,
  axes: number,
  magnitude: number,
  random: Random,
  options: AugmentOptions,
): Int8Array {
  const window = new Int8Array(movement.length);
  for (let a = 0; a < axes; a++) {
    const offset = random.gaussian() * options.offset * magnitude;
    for (let t = 0; t < length; t++) {
      const noise = random.gaussian() * options.noise * magnitude;
      const value = Math.round(movement[t * axes + a] + noise + offset);
      window[t * axes + a] = Math.max(-128, Math.min(127, value));
    }
  }
  return window;
}
