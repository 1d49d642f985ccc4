import { createRandom, type Random } from '../random.ts';
import type { LayerSpec } from '../task.ts';
import { builtin } from './builtin.ts';
import type { Scorer } from './kernel-machine.ts';
import { createEmbedder, type QuantModel } from './model.ts';
import { createNet } from './net.ts';
import { fitPre } from './pre.ts';
import { dequantise, PRE_OUTPUT, quantise } from './quantise.ts';
import { train } from './trainer.ts';

/** What a teacher has to say of real and of invented windows. */
export interface Lesson {
  /** int8 of one sample each: the real ones first */
  windows: Int8Array[];
  /** of them, how many are real */
  real: number;
  /** [windows][scores] */
  scores: Float32Array;
}

export interface DistilOptions {
  /** of the net's first weights, and of the order in which it learns */
  seed: number;
  epochs: number;
  signal?: AbortSignal;
}

/** Changes a window's values in place, as the sensor at hand may change with time. */
export type Drift = (values: Float64Array, deviation: number, random: Random) => void;

/*
 * Chosen by how often net and teacher agree on a batch that neither has seen, without its labels.
 */
/** Deviations of a value that the int8 input holds: room for drift. */
const SIGMAS = 6;
/** Of so many variations this share lies between two windows, and this share is noisy. */
const SHARE = { between: 0.5, noisy: 0.7 };
/** Noise of a variation, in deviations of each value. */
const NOISE = 0.3;
/** Deviation of the logarithm of a drifting gain. */
const DRIFT = 0.3;
const BATCH = 64;
const LEARNING_RATE = 0.003;

/**
 * Asks a teacher about windows and about variations of them, mixtures of two, drifted, with noise, where
 * only the teacher knows an answer.
 *
 * @param teacher scores windows as they are, before any normalisation
 * @param windows int8 of one sample each, labelled or not
 * @param variations invented windows beside the real ones
 * @param seed of the variations
 * @param drift how the sensor drifts; not at all where absent
 * @throws RangeError without windows
 * @source Zhang et al. 2018, mixup
 */
export function prepareLesson(
  teacher: Scorer,
  windows: readonly Int8Array[],
  variations: number,
  seed: number,
  drift?: Drift,
): Lesson {
  const features = windows[0]?.length ?? 0;
  if (features === 0) throw new RangeError('no windows to distil on');
  const all = [...windows, ...vary(windows, variations, seed, drift)];
  const x = new Float32Array(all.length * features);
  all.forEach((window, i) => {
    x.set(window, i * features);
  });
  const scores = Float32Array.from(teacher({ x, n: all.length, features }));
  return { windows: all, real: windows.length, scores };
}

/**
 * Teaches a small net to answer as a teacher does that no device can hold.
 *
 * @param lesson see prepareLesson
 * @param specs the net; its last layer has an output for each score
 * @param options how long
 * @returns a model in int8, all of it head
 * @throws GatewayError 'cancelled' when the signal is raised
 * @source Hinton, Vinyals and Dean 2015, section 2.1: the match of logits
 */
export async function distil(
  { windows, real, scores }: Lesson,
  specs: readonly LayerSpec[],
  { seed, epochs, signal }: DistilOptions,
): Promise<QuantModel> {
  const channels = windows[0]!.length;
  const pre = fitPre(windows.slice(0, real), { sigmas: SIGMAS, set: 0 });
  const embed = createEmbedder({ pre, layers: [] }, 0);
  const inputs = new Int8Array(windows.length * channels);
  windows.forEach((window, i) => {
    inputs.set(embed(window, 1), i * channels);
  });
  const fitted = await train(
    builtin,
    createNet({ length: 1, channels }, specs, seed),
    { x: dequantise(inputs, PRE_OUTPUT), y: scores, n: windows.length },
    {
      ...{ epochs, batch: BATCH, learningRate: LEARNING_RATE, seed, frozen: 0 },
      ...{ l2: 0, labelSmoothing: 0, ...(signal && { signal }) },
    },
  );
  return { pre, layers: quantise(fitted, inputs), cut: 0 };
}

/**
 * Invents windows: on or between real ones, drifted, with noise.
 *
 * @param pick draws a real window; two of them bound an invented one
 * @param deviation of each value
 * @param count how many
 * @param random source of chance
 * @param options noise in deviations of each value, and how the sensor drifts
 * @source Zhang et al. 2018, mixup
 */
export function invent(
  pick: () => Int8Array,
  deviation: ArrayLike<number>,
  count: number,
  random: Random,
  { noise, drift }: { noise: number; drift?: Drift | undefined },
): Int8Array[] {
  return Array.from({ length: count }, () => {
    const a = pick();
    const b = pick();
    const share = random.uniform(0, 1) < SHARE.between ? random.uniform(0, 1) : 0;
    const size = random.uniform(0, 1) < SHARE.noisy ? noise : 0;
    const values = Float64Array.from(a, (value, f) => value + share * (b[f]! - value));
    drift?.(values, DRIFT, random);
    return Int8Array.from(values, (value, f) => {
      const noisy = Math.round(value + size * deviation[f]! * random.gaussian());
      return Math.max(-128, Math.min(127, noisy));
    });
  });
}

function vary(
  windows: readonly Int8Array[],
  count: number,
  seed: number,
  drift: Drift | undefined,
): Int8Array[] {
  const random = createRandom(seed);
  const features = windows[0]!.length;
  const deviation = Float64Array.from({ length: features }, (_, f) => {
    const mean = windows.reduce((sum, w) => sum + w[f]!, 0) / windows.length;
    const square = windows.reduce((sum, w) => sum + (w[f]! - mean) ** 2, 0);
    return Math.sqrt(square / windows.length);
  });
  const pick = (): Int8Array => windows[random.integer(windows.length)]!;
  return invent(pick, deviation, count, random, { noise: NOISE, drift });
}
