import { createRandom, type Random } from '../random.ts';
import type { Task } from '../task.ts';
import { type Movement, movements } from './gestures.ts';
import { feel, rotation } from './sensor.ts';
import type { Triple, Wearer } from './wearer.ts';

/** The accelerometer's own averaging between two samples, in parts of the sampling period. */
const PARTS = 4;

/** A stretch of samples in which one gesture is made: the truth of SYNTHETIC motion. */
export interface Span {
  cls: number;
  /** first sample, counted from the start of the stream */
  from: number;
  /** the sample after the last */
  to: number;
}

/** One sample and what is going on. */
export interface MotionSample {
  /** int8, one value for each axis */
  values: Triple;
  /** the class of the gesture, or null at rest */
  cls: number | null;
}

/** An endless stream of SYNTHETIC wrist motion: rest, gesture, rest, … */
export interface Motion {
  next(): MotionSample;
  /** samples given so far */
  readonly index: number;
  /** who wears it now */
  readonly wearer: Wearer;
  /** somebody else puts the watch on, as soon as the hand rests */
  wear(wearer: Wearer): void;
  /**
   * The class of the gesture that fills most of a stretch of samples.
   *
   * @param from first sample
   * @param to the sample after the last
   * @returns null where there is only rest, or it is longer ago than the last 64 gestures
   */
  truth(from: number, to: number): number | null;
}

/**
 * Makes SYNTHETIC motion: no recording is behind it, only kinematics.
 *
 * @param task its classes are the gestures, its sensor gives rate, range and counts per g
 * @param first who wears the watch
 * @param seed same seed, same motion
 * @param restSeconds shortest and longest pause between two gestures
 * @throws RangeError if the task's sensor has not three axes and counts per g, or has a class that
 *   the generator does not know
 */
export function motion(
  task: Task,
  first: Wearer,
  seed: number,
  restSeconds: [number, number] = [1.2, 3],
): Motion {
  const { countsPerG, axes, rateHz, min, max } = task.sensor;
  if (countsPerG === undefined || axes.length !== 3) {
    throw new RangeError(
      `no synthetic motion for task '${task.name}': it needs x, y, z and counts`,
    );
  }
  const random = createRandom(seed);
  for (const name of task.classes) movements(name, first, createRandom(0));
  const spans: Span[] = [];
  let now = first;
  let coming = first;
  let strap = rotation(first.strapDegrees);
  let posture: Triple = [random.uniform(5, 25), random.uniform(-10, 10), 0];
  let plan: Movement[] = [];
  let cls: number | null = 0;
  let left = 0;
  let at = 0;
  let index = 0;

  const nextPlan = () => {
    if (cls === null) {
      cls = random.integer(task.classes.length);
      plan = movements(task.classes[cls], now, random);
      left = Math.ceil(end(plan) * rateHz);
      spans.push({ cls, from: index, to: index + left });
      if (spans.length > 64) spans.shift();
    } else {
      for (const m of plan) posture = posture.map((d, k) => d + m.turn[k]) as Triple;
      cls = null;
      if (coming !== now) {
        now = coming;
        strap = rotation(now.strapDegrees);
      }
      const seconds = random.uniform(...restSeconds);
      plan = [settle(posture, seconds, random)];
      left = Math.ceil(seconds * rateHz);
    }
    at = 0;
  };

  return {
    get index() {
      return index;
    },
    get wearer() {
      return now;
    },
    wear(someone) {
      coming = someone;
    },
    truth(from, to) {
      let best: Span | null = null;
      let most = 0;
      for (const span of spans) {
        const overlap = Math.min(to, span.to) - Math.max(from, span.from);
        if (overlap > most) [best, most] = [span, overlap];
      }
      return best?.cls ?? null;
    },
    next() {
      while (left === 0) nextPlan();
      const sum: Triple = [0, 0, 0];
      for (let part = 0; part < PARTS; part++) {
        const g = feel(plan, (at + part / PARTS) / rateHz, posture, strap);
        for (let k = 0; k < 3; k++) sum[k] += g[k] / PARTS;
      }
      const values = sum.map((g) => {
        const counts = (g + now.noiseG * random.gaussian()) * countsPerG * now.gain;
        return Math.max(min, Math.min(max, Math.round(counts)));
      }) as Triple;
      at++;
      left--;
      index++;
      return { values, cls };
    },
  };
}

/** Rest: the wrist drifts slowly to another posture near the usual one. */
function settle(posture: Triple, seconds: number, random: Random): Movement {
  const usual: Triple = [15, 0, 0];
  const turn = usual.map((d, k) => d + 5 * random.gaussian() - posture[k]) as Triple;
  return { start: 0, duration: seconds, move: [0, 0, 0], turn };
}

/** Seconds until the last movement is over. */
function end(plan: Movement[]): number {
  return Math.max(...plan.map((m) => m.start + m.duration));
}
