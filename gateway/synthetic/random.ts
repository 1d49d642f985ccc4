/** A seeded source of chance: the same seed gives the same numbers on every machine. */
export interface Random {
  /** uniform in [0, 1) */
  uniform(): number;
  /** uniform between two numbers */
  between(low: number, high: number): number;
  /** normal, mean 0, deviation 1 */
  normal(): number;
  /** uniform integer from 0 to n - 1 */
  below(n: number): number;
}

/**
 * Makes a seeded source of chance.
 *
 * @param seed any integer
 * @source mulberry32, Tommy Ettinger (public domain); normals by Box and Muller
 * @example randomFrom(7).below(100) // 1
 */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    below: (n) => Math.floor(uniform() * n),
  };
}
