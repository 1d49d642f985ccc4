import { type FeaturesState, features } from './features.ts';

/** Settings of {@link featureWatch}. */
export interface FeatureWatchOptions {
  /** vectors that say what is normal */
  reference: number;
  /** newest vectors, which are compared with them */
  window: number;
  /** vectors between false alarms, at least, in the mean */
  runLength: number;
}

/** What it remembers. */
export interface FeatureWatchState {
  length: number;
  detector: FeaturesState;
  /** of the reference: vectors, and their sums */
  n: number;
  sums: number[];
  /** newest vectors */
  ring: number[][];
}

/** A feature that moved, from the mean of the reference to that of the newest vectors. */
export interface Moved {
  feature: number;
  before: number;
  after: number;
  pValue: number;
}

/** Watches what a device's head sees. */
export interface FeatureWatch {
  /** Takes a vector. @returns what moved, the surest first, when something did */
  update(vector: ArrayLike<number>): Moved[] | undefined;
  state(): FeatureWatchState | null;
}

/** More features than these cost more than they tell: so many are picked, evenly. */
const mostFeatures = 64;

/**
 * Watches embeddings, or statistics of raw windows, feature by feature, corrected for how many there
 * are (see {@link features}), and keeps the means that say how far a feature moved. Vectors of another
 * length begin anew.
 *
 * @param options settings
 * @param state to go on from
 * @example ((w) => Array.from({ length: 90 }, (_, i) => w.update([i % 7, (i % 5) + (i < 60 ? 0 : 9)])).find((moved) => moved)?.[0].feature)(featureWatch({ reference: 30, window: 20, runLength: 10_000 })) // 1
 */
export function featureWatch(
  options: FeatureWatchOptions,
  state?: FeatureWatchState | null,
): FeatureWatch {
  const { reference, window, runLength } = options;
  let s = structuredClone(state ?? null);
  let detector = s === null ? undefined : features(settings(s.length), s.detector);

  function settings(length: number): Parameters<typeof features>[0] {
    const count = Math.min(length, mostFeatures);
    return { count, reference, window, runLength };
  }

  function begin(length: number): FeatureWatchState {
    detector = features(settings(length));
    const sums = new Array<number>(Math.min(length, mostFeatures)).fill(0);
    return { length, detector: detector.state(), n: 0, sums, ring: [] };
  }

  /** Index, in the vector, of a feature that is watched. */
  const indexOf = (i: number, { length, sums }: FeatureWatchState): number =>
    Math.floor((i * length) / sums.length);

  return {
    update(vector) {
      if (vector.length === 0) return undefined;
      if (s === null || s.length !== vector.length) s = begin(vector.length);
      const now = s;
      const picked = new Array<number>(now.sums.length);
      for (let i = 0; i < picked.length; i++) picked[i] = vector[indexOf(i, now)];
      if (now.n < reference) {
        now.n++;
        for (let i = 0; i < picked.length; i++) now.sums[i] += picked[i];
      }
      now.ring.push(picked);
      if (now.ring.length > window) now.ring.shift();
      if (!detector!.update(picked)) return undefined;
      const moved = detector!.moved.map(({ feature, pValue }) => ({
        feature: indexOf(feature, now),
        before: now.sums[feature] / now.n,
        after: now.ring.reduce((sum, one) => sum + one[feature], 0) / now.ring.length,
        pValue,
      }));
      s = begin(vector.length);
      return moved;
    },
    state() {
      if (s === null) return null;
      const { length, n, sums, ring } = s;
      const copies = { sums: [...sums], ring: ring.map((one) => [...one]) };
      return { length, detector: detector!.state(), n, ...copies };
    },
  };
}
