/** Python's random.Random(seed), as far as the golden vectors need it. */
export interface PythonRandom {
  /** random.sample(range(from), count). */
  sample(from: number, count: number): number[];
}

const N = 624;
const M = 397;

/**
 * Python's generator: MT19937, seeded by its array of one word.
 *
 * @param seed below 2^32
 * @source Matsumoto and Nishimura 1998, Mersenne Twister (init_by_array, 2002); CPython's
 *   Lib/random.py, sample() and _randbelow_with_getrandbits()
 */
export function pythonRandom(seed: number): PythonRandom {
  const words = new Uint32Array(N);
  let at = N;

  words[0] = 19650218;
  for (let i = 1; i < N; i++) words[i] = grown(i, 1812433253) + i;
  // one word of key: the same one at every step
  let i = 1;
  const wrap = () => {
    if (++i < N) return;
    words[0] = words[N - 1];
    i = 1;
  };
  for (let k = 0; k < N; k++) {
    words[i] = (words[i] ^ grown(i, 1664525)) + seed;
    wrap();
  }
  for (let k = 1; k < N; k++) {
    words[i] = (words[i] ^ grown(i, 1566083941)) - i;
    wrap();
  }
  words[0] = 0x80000000;

  function grown(i: number, factor: number): number {
    return Math.imul(words[i - 1] ^ (words[i - 1] >>> 30), factor);
  }

  function next(): number {
    if (at === N) {
      for (let k = 0; k < N; k++) {
        const y = (words[k] & 0x80000000) | (words[(k + 1) % N] & 0x7fffffff);
        words[k] = words[(k + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let y = words[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  function below(n: number): number {
    const bits = 32 - Math.clz32(n);
    for (;;) {
      const r = next() >>> (32 - bits);
      if (r < n) return r;
    }
  }

  return {
    sample(from, count) {
      const setSize = 21 + (count > 5 ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
      if (from <= setSize) {
        const pool = Array.from({ length: from }, (_, k) => k);
        return Array.from({ length: count }, (_, k) => {
          const j = below(from - k);
          const drawn = pool[j];
          pool[j] = pool[from - k - 1];
          return drawn;
        });
      }
      const drawn = new Set<number>();
      while (drawn.size < count) drawn.add(below(from));
      return [...drawn];
    },
  };
}
