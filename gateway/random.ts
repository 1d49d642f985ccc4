/**
 * The one source of chance: seeded, so that a run can be repeated bit for bit.
 *
 * Own lines because the packages at hand (pure-rand, seedrandom) give generators only: the gaussian
 * and the shuffle, which decide whether a run repeats, would still be ours, and pinned to theirs.
 */
export interface Random {
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Uniform integer in [0, n). */
  integer(n: number): number;
  /** Normal with mean 0 and deviation 1. */
  gaussian(): number;
  /** Puts the items in random order, in place, and returns them. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T;
}

/**
 * A seeded generator (sfc32: passes PractRand, 128 bits of state, four additions a number).
 *
 * @param seed integer; different seeds give unrelated streams
 * @param stream integer; a second number to tell apart streams of one seed
 * @returns the generator
 * @throws RangeError if seed or stream is not a safe integer
 * @source Doty-Humphrey, PractRand, sfc32: seeded with counter 1 and twelve rounds discarded
 * @example createRandom(7).integer(1000) // 714
 * @example createRandom(7, 1).integer(1000) // 10
 */
export function createRandom(seed: number, stream = 0): Random {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed ${seed} is not an integer`);
  if (!Number.isSafeInteger(stream)) throw new RangeError(`stream ${stream} is not an integer`);
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = stream | 0;
  let counter = 1;
  let spare = Number.NaN;

  const next = (): number => {
    const out = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + out) | 0;
    return out >>> 0;
  };
  // 53 bits, so that a uniform number has the full resolution of a double
  const unit = (): number => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
  for (let i = 0; i < 12; i++) next();

  const integer = (n: number): number => {
    if (!Number.isInteger(n) || n < 1) throw new RangeError(`no integer in [0, ${n})`);
    return Math.floor(unit() * n);
  };
  return {
    uniform: (low, high) => low + (high - low) * unit(),
    integer,
    gaussian() {
      if (!Number.isNaN(spare)) {
        const kept = spare;
        spare = Number.NaN;
        return kept;
      }
      // Marsaglia's polar method: two numbers a round, no trigonometry
      for (;;) {
        const u = 2 * unit() - 1;
        const v = 2 * unit() - 1;
        const s = u * u + v * v;
        if (s >= 1 || s === 0) continue;
        const scale = Math.sqrt((-2 * Math.log(s)) / s);
        spare = v * scale;
        return u * scale;
      }
    },
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        const held = items[i];
        items[i] = items[j];
        items[j] = held;
      }
      return items;
    },
  };
}
