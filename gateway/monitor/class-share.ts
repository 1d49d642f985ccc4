import { type Detector, level } from './detector.ts';

/** Settings of {@link classShare}. */
export interface ClassShareOptions {
  /** values that say what is normal before it looks */
  reference?: number;
  /** a value joins the reference only after this many others, so that a change cannot hide in it */
  lag?: number;
  /** values between false alarms, at least, in the mean */
  runLength?: number;
}

/** A bet on one class: its capital since it last stood at 1. */
interface Bet {
  value: number;
  age: number;
  /** how often the class came since then */
  hits: number;
}

/** What is known of one class. */
interface Known {
  /** how often it came, and how often after itself */
  n: number;
  repeats: number;
  /** on a rise to each alternative, and on its end */
  bets: Bet[];
}

/** What it remembers. */
export interface ClassShareState {
  n: number;
  classes: Record<string, Known>;
  /** values that have not joined the reference yet, the one before them first */
  waiting: number[];
}

/** A class whose share changed. */
export interface ShareChange {
  cls: number;
  /** its share as it was, and since the change */
  before: number;
  after: number;
  /** values since the change, and the capital won */
  age: number;
  evidence: number;
}

/** The detector, with what it found. */
export interface ClassShare extends Detector<ClassShareState> {
  /** the last change; it stays until the next */
  readonly change: ShareChange | undefined;
}

/** Shares that a class is bet to rise to; the last bet is on 0, that it is gone. */
const alternatives = [0.98, 0.7, 0.4, 0];
/** Deviations of the bound that the reference's share is taken at, to the side where a bet wins least. */
const cautious = 1.5;
/** A class is held to repeat itself as all classes do, unless this many of its own say otherwise. */
const pooling = 10;
/** The reference grows no further than this. */
const capacity = 1000;
const noBet: Bet = { value: 1, age: 0, hits: 0 };

/**
 * Watches the share of each answer: a prediction that is stuck, one that takes over, one that is gone.
 * Bets on each class having another share than the reference says; capitals are averaged and restart at
 * 1 whenever they fall below (an e-detector), so the mean run between false alarms is at least
 * `runLength`, as far as the reference's bounds hold.
 *
 * How probable a class is depends on whether it came just before: where an activity lasts for many
 * windows, a repeat proves little, and the reference says how often classes repeat.
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector; values are classes, whole numbers from 0
 * @source Shin, Ramdas and Rinaldo 2022, E-detectors, theorem 2.4; bets on a proportion: Waudby-Smith
 *   and Ramdas 2024, Estimating means of bounded random variables by betting
 * @example ((d) => (Array.from({ length: 60 }, (_, i) => (i < 40 ? (i * 7) % 6 : 2)).findIndex((x) => d.update(x)), d.change?.cls))(classShare()) // 2
 */
export function classShare(options: ClassShareOptions = {}, state?: ClassShareState): ClassShare {
  const { reference = 30, lag = 20, runLength = 10_000 } = options;
  level('1 / runLength', 1 / runLength);
  const s: ClassShareState = structuredClone(state ?? { n: 0, classes: {}, waiting: [] });
  let change: ShareChange | undefined;

  const known = (): Known[] => Object.values(s.classes);

  /** Bounds of the probability of a class, after itself or after another. */
  function bounds({ n, repeats }: Known, isAgain: boolean): [number, number] {
    if (!isAgain) return wilsonOf(n - repeats, s.n - n);
    const all = known().reduce((sum, one) => sum + one.repeats, 0) / s.n;
    return wilsonOf(repeats + pooling * all, n + pooling);
  }

  function bet(cls: number, previous: number): void {
    for (const [key, one] of Object.entries(s.classes)) {
      const [low, high] = bounds(one, Number(key) === previous);
      const isHit = Number(key) === cls;
      one.bets = alternatives.map((q, i) => {
        const p = q === 0 ? low : high;
        // no bet on what the reference may be already, nor on a rise that is a fall
        const won = q > 0 && q <= p ? 1 : isHit ? (q === 0 ? 0 : q / p) : (1 - q) / (1 - p);
        const before = one.bets[i].value <= 1 ? noBet : one.bets[i];
        const { value, age, hits } = before;
        return { value: value * won, age: age + 1, hits: hits + Number(isHit) };
      });
    }
  }

  function admit(cls: number, previous: number): void {
    if (s.n >= capacity) return;
    s.classes[cls] ??= { n: 0, repeats: 0, bets: alternatives.map(() => noBet) };
    s.classes[cls].n++;
    s.n++;
    if (cls === previous) s.classes[cls].repeats++;
  }

  function isChanged(): boolean {
    const all = Object.entries(s.classes).flatMap(([cls, { n, bets }]) =>
      bets.map((one) => ({ cls: Number(cls), before: n / s.n, ...one })),
    );
    const evidence = all.reduce((sum, { value }) => sum + value, 0) / all.length;
    if (evidence <= runLength) return false;
    const { cls, before, age, hits } = all.reduce((a, b) => (b.value > a.value ? b : a));
    change = { cls, before, after: hits / age, age, evidence };
    for (const one of known()) one.bets = alternatives.map(() => noBet);
    return true;
  }

  return {
    update(cls) {
      if (!(Number.isInteger(cls) && cls >= 0)) throw new RangeError(`${cls} is no class`);
      const looks = s.n >= reference;
      if (looks) bet(cls, s.waiting.at(-1)!);
      s.waiting.push(cls);
      if (s.waiting.length > (looks ? lag : 0) + 1) {
        const [previous, next] = s.waiting;
        s.waiting.shift();
        admit(next, previous);
      }
      return looks && isChanged();
    },
    state: () => structuredClone(s),
    get change() {
      return change;
    },
  };
}

/** Wilson's interval, of counts that need not be whole; of nothing, all is possible. */
function wilsonOf(right: number, n: number): [number, number] {
  if (n <= 0) return [0, 1];
  const z2 = cautious * cautious;
  const share = Math.min(1, right / n);
  const middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  const reach = (cautious * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return [Math.max(0, middle - reach), Math.min(1, middle + reach)];
}
