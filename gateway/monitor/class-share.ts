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

/** Numbers of a class in a row: how often it came, and after itself; then those of each bet. */
const N = 0;
const REPEATS = 1;
const BETS = 2;
const VALUE = 0;
const AGE = 1;
const HITS = 2;
const BET = 3;
const WIDTH = BETS + BET * alternatives.length;

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
  let total = state?.n ?? 0;
  const waiting = [...(state?.waiting ?? [])];
  /**
   * Classes in the order of their numbers, and a row of each: what is added up is added in one order, and
   * of many devices little is in the processor's cache, so that objects would cost more than all sums.
   */
  const order: number[] = [];
  let rows = new Float64Array(0);
  for (const [cls, { n, repeats, bets }] of Object.entries(state?.classes ?? {})) {
    const numbers = bets.flatMap(({ value, age, hits }) => [value, age, hits]);
    const at = insert(Number(cls));
    rows.set([n, repeats, ...numbers], at);
  }
  let change: ShareChange | undefined;

  /** Makes room for a class. @returns where its row begins */
  function insert(cls: number): number {
    let k = 0;
    while (k < order.length && order[k] < cls) k++;
    order.splice(k, 0, cls);
    const at = k * WIDTH;
    const wider = new Float64Array(order.length * WIDTH);
    wider.set(rows.subarray(0, at));
    wider.set(rows.subarray(at), at + WIDTH);
    rows = wider;
    restart(at);
    return at;
  }

  /** All bets of a class stand at 1 again. */
  function restart(at: number): void {
    rows.fill(0, at + BETS, at + WIDTH);
    for (let bet = at + BETS; bet < at + WIDTH; bet += BET) rows[bet + VALUE] = 1;
  }

  /** Bounds of the probability of a class, after itself or after another. */
  function bounds(at: number, isAgain: boolean): [number, number] {
    const n = rows[at + N];
    const repeats = rows[at + REPEATS];
    if (!isAgain) return wilsonOf(n - repeats, total - n);
    let all = 0;
    for (let row = 0; row < rows.length; row += WIDTH) all += rows[row + REPEATS];
    return wilsonOf(repeats + pooling * (all / total), n + pooling);
  }

  function bet(cls: number, previous: number): void {
    for (let k = 0, row = 0; k < order.length; k++, row += WIDTH) {
      const [low, high] = bounds(row, order[k] === previous);
      const isHit = order[k] === cls;
      for (let i = 0, at = row + BETS; i < alternatives.length; i++, at += BET) {
        const q = alternatives[i];
        const p = q === 0 ? low : high;
        // no bet on what the reference may be already, nor on a rise that is a fall
        const won = q > 0 && q <= p ? 1 : isHit ? (q === 0 ? 0 : q / p) : (1 - q) / (1 - p);
        if (rows[at + VALUE] <= 1) {
          rows[at + VALUE] = 1;
          rows[at + AGE] = 0;
          rows[at + HITS] = 0;
        }
        rows[at + VALUE] *= won;
        rows[at + AGE]++;
        if (isHit) rows[at + HITS]++;
      }
    }
  }

  function admit(cls: number, previous: number): void {
    if (total >= capacity) return;
    const k = order.indexOf(cls);
    const at = k < 0 ? insert(cls) : k * WIDTH;
    rows[at + N]++;
    total++;
    if (cls === previous) rows[at + REPEATS]++;
  }

  /** The bets of a class, as they are stored. */
  const betsOf = (row: number): Bet[] =>
    alternatives.map((_, i) => {
      const at = row + BETS + i * BET;
      return { value: rows[at + VALUE], age: rows[at + AGE], hits: rows[at + HITS] };
    });

  function isChanged(): boolean {
    let sum = 0;
    for (let row = 0; row < rows.length; row += WIDTH) {
      for (let at = row + BETS; at < row + WIDTH; at += BET) sum += rows[at + VALUE];
    }
    const evidence = sum / (order.length * alternatives.length);
    if (evidence <= runLength) return false;
    const all = order.flatMap((cls, k) => {
      const before = rows[k * WIDTH + N] / total;
      return betsOf(k * WIDTH).map((one) => ({ cls, before, ...one }));
    });
    const { cls, before, age, hits } = all.reduce((a, b) => (b.value > a.value ? b : a));
    change = { cls, before, after: hits / age, age, evidence };
    for (let row = 0; row < rows.length; row += WIDTH) restart(row);
    return true;
  }

  return {
    update(cls) {
      if (!(Number.isInteger(cls) && cls >= 0)) throw new RangeError(`${cls} is no class`);
      const looks = total >= reference;
      if (looks) bet(cls, waiting[waiting.length - 1]);
      waiting.push(cls);
      if (waiting.length > (looks ? lag : 0) + 1) {
        const [previous, next] = waiting;
        waiting.shift();
        admit(next, previous);
      }
      return looks && isChanged();
    },
    state: () => ({
      n: total,
      classes: Object.fromEntries(
        order.map((cls, k) => {
          const row = k * WIDTH;
          return [cls, { n: rows[row + N], repeats: rows[row + REPEATS], bets: betsOf(row) }];
        }),
      ),
      waiting: [...waiting],
    }),
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
