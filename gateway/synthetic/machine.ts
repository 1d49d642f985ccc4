import { ANOMALY, NORMAL, toStep } from '../answers.ts';
import { createRandom, type Random } from '../random.ts';
import type { Recording } from '../recordings.ts';
import type { Task } from '../task.ts';
import { rotation } from './sensor.ts';
import type { Triple } from './wearer.ts';

/** A SYNTHETIC machine with an accelerometer on its bearing: what differs from one to the next. */
export interface Machine {
  name: string;
  /** how the sensor is turned, about x, y and z */
  mountDegrees: Triple;
  /** of the sensor: its counts per g are the task's times this */
  gain: number;
  /** standard deviation of the sensor's noise, in g */
  noiseG: number;
  /** acceleration at 25 turns a second that its imbalance makes, in g */
  imbalanceG: number;
}

/** What can be wrong with a machine; each is heard in another way. */
export const FAULTS = ['imbalance', 'looseness', 'bearing'] as const;
export type Fault = (typeof FAULTS)[number];

/** What a window of a machine is made of. */
export interface Running {
  /** turns a second */
  hz: number;
  fault?: Fault;
}

/** Turns a second between which a machine runs. */
const SPEED_HZ: readonly [number, number] = [10, 40];
/** Turns a second at which `imbalanceG` is measured: the force grows with the square of the speed. */
const RATED_HZ = 25;
/** Shares of the second harmonic, and of what is felt along the shaft. */
const SECOND = 0.3;
const AXIAL = 0.25;
/** Imbalance that a fault adds, as a multiple. */
const HEAVIER = 3;
/** Half-order and its multiples, as shares of the imbalance: the sign of a loose foot. */
const LOOSE = 1.5;
/** Impacts a turn of a damaged outer ring with nine balls, and how they ring in the housing. */
const IMPACTS = 3.58;
const RING_HZ = 43;
const RING_SECONDS = 0.012;
const IMPACT_G = 0.9;

/** @param seed same seed, same machine */
export function machine(seed: number): Machine {
  const random = createRandom(seed);
  return {
    name: `machine ${seed}`,
    mountDegrees: [random.uniform(-5, 5), random.uniform(-5, 5), random.uniform(-180, 180)],
    gain: 1,
    noiseG: 0.03,
    imbalanceG: random.uniform(0.35, 0.5),
  };
}

/** The same machine after a service: its sensor was put back another way round, and is another. */
export function remounted(before: Machine, seed: number): Machine {
  const random = createRandom(seed);
  const [x, y, z] = before.mountDegrees;
  const turn = (low: number, high: number): number =>
    (random.uniform(0, 1) < 0.5 ? -1 : 1) * random.uniform(low, high);
  return {
    name: `${before.name}, remounted`,
    mountDegrees: [x + turn(60, 90), y + turn(20, 40), z],
    gain: before.gain * random.uniform(0.7, 0.8),
    noiseG: before.noiseG,
    imbalanceG: before.imbalanceG * random.uniform(0.8, 0.9),
  };
}

/**
 * One window of SYNTHETIC vibration: no recording is behind it, only the orders of a rotor.
 *
 * @param task sensor with three axes and counts per g
 * @param of whose vibration
 * @param running how fast, and what is wrong
 * @param random draws phases and noise
 * @returns int8 [samples][axes], full length
 * @throws RangeError if the task's sensor has not three axes and counts per g
 */
export function vibration(
  { sensor, window, name }: Task,
  of: Machine,
  { hz, fault }: Running,
  random: Random,
): Int8Array {
  const { countsPerG, rateHz, min, max, axes } = sensor;
  if (countsPerG === undefined || axes.length !== 3) {
    throw new RangeError(`no synthetic vibration for task '${name}': it needs x, y, z and counts`);
  }
  const values = new Int8Array(window.samples * 3);
  const turn = rotation(of.mountDegrees);
  const phases = Array.from({ length: 5 }, () => random.uniform(0, 2 * Math.PI));
  const force = of.imbalanceG * (hz / RATED_HZ) ** 2;
  const first = force * (fault === 'imbalance' ? HEAVIER : 1) * Math.exp(0.05 * random.gaussian());
  const loose = fault === 'looseness' ? LOOSE * Math.max(force, 0.1) : 0;
  const impactAt = random.uniform(0, 1);
  for (let t = 0; t < window.samples; t++) {
    const angle = (2 * Math.PI * hz * t) / rateHz;
    const wave = (order: number, phase: number): number => Math.sin(order * angle + phases[phase]!);
    let radial = first * wave(1, 0) + SECOND * force * wave(2, 1);
    let across = first * wave(1, 2) + SECOND * force * wave(2, 3);
    radial += loose * (wave(0.5, 4) + wave(1.5, 1));
    across += (loose / 2) * wave(0.5, 2);
    if (fault === 'bearing') {
      const passed = ((IMPACTS * hz * t) / rateHz + impactAt) % 1;
      const seconds = passed / (IMPACTS * hz);
      radial +=
        IMPACT_G * Math.exp(-seconds / RING_SECONDS) * Math.sin(2 * Math.PI * RING_HZ * seconds);
    }
    const felt: Triple = [radial, across, 1 + AXIAL * first * wave(1, 3)];
    turn.forEach((row, k) => {
      const g =
        row[0] * felt[0] + row[1] * felt[1] + row[2] * felt[2] + of.noiseG * random.gaussian();
      values[3 * t + k] = Math.max(min, Math.min(max, Math.round(g * countsPerG * of.gain)));
    });
  }
  return values;
}

/**
 * SYNTHETIC windows of one machine at random speeds.
 *
 * @param task of kind 'regression' (its target is the speed, in turns a minute) or 'anomaly'
 * @param of whose vibration
 * @param n windows
 * @param seed same seed, same windows
 * @param faulty share of windows with a fault, for kind 'anomaly'
 * @returns as readRecordings() gives them, without file and line; `cls` is the answer
 * @throws RangeError as {@link vibration}, or if the task is of another kind
 */
export function machineRecordings(
  task: Task,
  of: Machine,
  n: number,
  seed: number,
  faulty = 0,
): (Recording & { running: Running })[] {
  const random = createRandom(seed);
  return Array.from({ length: n }, () => {
    const hz = random.uniform(...SPEED_HZ);
    const isFaulty = random.uniform(0, 1) < faulty;
    const fault = FAULTS[random.integer(FAULTS.length)]!;
    const running: Running = isFaulty ? { hz, fault } : { hz };
    const window = vibration(task, of, running, random);
    const cls = answer(task, running);
    return { cls, length: task.window.samples, window, file: '', line: 0, running };
  });
}

/** Turns a minute for one a second. */
const RPM = 60;

function answer({ kind, target, name }: Task, { hz, fault }: Running): number {
  if (kind === 'anomaly') return fault === undefined ? NORMAL : ANOMALY;
  if (kind === 'regression') return toStep(hz * RPM, target!);
  throw new RangeError(`task '${name}' is of kind '${kind}': a machine has no classes`);
}
