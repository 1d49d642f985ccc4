/** Pseudo-random numbers in [0, 1): s ← (75 s + 74) mod 65537, as the golden vectors use it. */
export function lcg(seed: number): () => number {
  let s = seed;
  return () => {
    s = (s * 75 + 74) % 65537;
    return s / 65537;
  };
}

/** Numbers in [0, 1) with a period that no test outlasts (the one above repeats after 65536). */
export function mulberry(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Scores about a mean, as margins of a model are: 0 to 255, normal. */
export function scores(random: () => number, mean: number, deviation: number): () => number {
  return () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.round(Math.min(255, Math.max(0, mean + deviation * normal)));
  };
}
