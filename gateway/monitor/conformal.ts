import type { Detector } from './detector.ts';

/** Settings of {@link conformal}. */
export interface ConformalOptions {
  /** values that say what is normal before it looks */
  reference?: number;
  /** a value joins the reference only after this many others, so that a change cannot hide in it */
  lag?: number;
  /** the reference grows no further than this */
  capacity?: number;
  /** values between false alarms, at least, in the mean */
  runLength?: number;
}

/** One gambler: its capital since it last stood at 1, and what it saw since then. */
interface Capital {
  value: number;
  age: number;
  sum: number;
}

/** What the detector remembers. */
export interface ConformalState {
  /** how often each value occurs in the reference */
  counts: number[];
  n: number;
  sum: number;
  waiting: number[];
  capitals: Capital[];
}

/** The detector, with what it found. */
export interface Conformal extends Detector<ConformalState> {
  /** the last change: mean of the reference, mean since the change, values since it, capital */
  /** capital by now, of which a change is seen above `runLength`; undefined before the reference is full */
  readonly capital: number | undefined;
  readonly change: { before: number; after: number; age: number; evidence: number } | undefined;
}

const values = 256;
/** Bets on small p: steep ones win by the rare very low score, flat ones by many rather low ones. */
const bets: readonly ((p: number) => number)[] = [
  (p) => 0.3 * p ** -0.7,
  (p) => 0.5 * p ** -0.5,
  (p) => 0.7 * p ** -0.3,
  (p) => 1 + 0.5 * (1 - 2 * p),
  (p) => 1 + 0.9 * (1 - 2 * p),
];

/**
 * Conformal test martingale for a fall: each value is ranked among the reference, and gamblers bet
 * that it ranks low. While nothing changes no bet can be expected to win, whatever the distribution,
 * so the mean run between false alarms is at least `runLength`. It needs far fewer values than
 * {@link adwin} because it knows the direction, and uses the whole distribution instead of its mean.
 *
 * Capital restarts at 1 whenever it falls below, which makes it a detector of changes at any time
 * (an e-detector); the capitals of all gamblers are averaged.
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector; values are integers from 0 to 255, as scores are
 * @throws RangeError if the run length is not above 1
 * @source Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, section 7.1 (power
 *   martingales); Shin, Ramdas and Rinaldo 2022, E-detectors, theorem 2.4 (run length)
 * @example ((d) => Array.from({ length: 60 }, (_, i) => (i < 40 ? 80 + (i % 5) : 10)).findIndex((x) => d.update(x)))(conformal({ reference: 20, lag: 10 })) // 46
 */
export function conformal(options: ConformalOptions = {}, state?: ConformalState): Conformal {
  const { reference = 30, lag = 20, capacity = 1000, runLength = 10_000 } = options;
  if (!(runLength > 1 && Number.isFinite(runLength))) {
    throw new RangeError(`a run length is a number above 1, not ${runLength}`);
  }
  const start = (): Capital => ({ value: 1, age: 0, sum: 0 });
  const s: ConformalState = structuredClone(
    state ?? {
      counts: new Array(values).fill(0),
      ...{ n: 0, sum: 0, waiting: [], capitals: bets.map(start) },
    },
  );
  let change: Conformal['change'];

  function admit(x: number): void {
    if (s.n >= capacity) return;
    s.counts[x]++;
    s.n++;
    s.sum += x;
  }

  /** Middle of the ranks that x may take among the reference and itself. */
  function rank(x: number): number {
    let less = 0;
    for (let i = 0; i < x; i++) less += s.counts[i];
    return (less + (s.counts[x] + 1) / 2) / (s.n + 1);
  }

  return {
    update(x) {
      if (!(Number.isInteger(x) && x >= 0 && x < values)) throw new RangeError('no value 0 to 255');
      if (s.n < reference) {
        admit(x);
        return false;
      }
      const p = rank(x);
      s.waiting.push(x);
      if (s.waiting.length > lag) admit(s.waiting.shift() as number);
      let total = 0;
      for (let i = 0; i < bets.length; i++) {
        const mine = s.capitals[i];
        if (mine.value <= 1) {
          mine.value = 1;
          mine.age = 0;
          mine.sum = 0;
        }
        mine.value *= bets[i](p);
        mine.age++;
        mine.sum += x;
        total += mine.value;
      }
      const evidence = total / bets.length;
      if (evidence <= runLength) return false;
      const best = s.capitals.reduce((a, b) => (b.value > a.value ? b : a));
      change = { before: s.sum / s.n, after: best.sum / best.age, age: best.age, evidence };
      s.capitals = bets.map(start);
      return true;
    },
    get capital() {
      if (s.n < reference) return undefined;
      return s.capitals.reduce((total, c) => total + c.value, 0) / bets.length;
    },
    state: () => ({
      ...{ counts: [...s.counts], n: s.n, sum: s.sum, waiting: [...s.waiting] },
      capitals: s.capitals.map((one) => ({ ...one })),
    }),
    get change() {
      return change;
    },
  };
}
