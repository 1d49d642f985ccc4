import { createRandom } from '../random.ts';

/** Three values: metres or degrees, as the name of the field says. */
export type Triple = [number, number, number];

/** A SYNTHETIC person with a watch: what differs from wrist to wrist. */
export interface Wearer {
  name: string;
  hand: 'left' | 'right';
  /** how the watch is turned on the wrist: about the axes across, along and out of the forearm */
  strapDegrees: Triple;
  /** speed of the movements, 1 is usual */
  tempo: number;
  /** size of the movements, 1 is usual */
  amplitude: number;
  /** standard deviation of the sensor's noise, in g */
  noiseG: number;
  /** of the sensor: its counts per g are the task's times this */
  gain: number;
}

/**
 * A synthetic wearer: watch on the left wrist, worn nearly straight.
 *
 * @param seed same seed, same wearer
 * @param name for people
 */
export function wearer(seed: number, name = `wearer ${seed}`): Wearer {
  const random = createRandom(seed);
  return {
    name,
    hand: 'left',
    strapDegrees: [random.uniform(-8, 8), random.uniform(-8, 8), random.uniform(-8, 8)],
    tempo: random.uniform(0.9, 1.1),
    amplitude: random.uniform(0.9, 1.1),
    noiseG: random.uniform(0.01, 0.03),
    gain: 1,
  };
}

/**
 * Somebody very different: the other hand, the strap turned by a quarter or so, other tempo and
 * gain. A model that knows only `before` falls far on this wearer.
 *
 * @param before who wore the watch until now
 * @param seed same seed, same wearer
 * @param name for people
 */
export function someoneElse(before: Wearer, seed: number, name = `wearer ${seed}`): Wearer {
  const random = createRandom(seed);
  const turn = (from: number, low: number, high: number) =>
    from + (random.uniform(0, 1) < 0.5 ? -1 : 1) * random.uniform(low, high);
  const [across, along, out] = before.strapDegrees;
  return {
    name,
    hand: before.hand === 'left' ? 'right' : 'left',
    strapDegrees: [turn(across, 10, 25), turn(along, 30, 55), turn(out, 50, 90)],
    tempo: before.tempo * random.uniform(0.8, 0.95),
    amplitude: before.amplitude * random.uniform(1.05, 1.25),
    noiseG: before.noiseG,
    gain: before.gain * random.uniform(1.2, 1.5),
  };
}
