/** Pseudo-random numbers in [0, 1), mulberry32, as the golden vectors use it. */
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

/** A stream of the golden vectors: a formula over {@link mulberry}. */
export interface GoldenStream {
  seed: number;
  kind: 'bits' | 'slope' | 'scores' | 'grid';
  /** of equal stretches; of a slope, its two ends */
  levels: number[];
}

/** The values of a golden stream, as test/vectors/detectors.py makes them. */
export function goldenValues({ seed, kind, levels }: GoldenStream, length: number): number[] {
  const u = mulberry(seed);
  return Array.from({ length }, (_, i) => {
    const level = levels[Math.floor((i * levels.length) / length)];
    if (kind === 'bits') return Number(u() < level);
    if (kind === 'slope') return Number(u() < levels[0] + ((levels[1] - levels[0]) * i) / length);
    if (kind === 'scores') return level + 0.1 * (u() + u() + u());
    return level + Math.floor(u() * 5) / 4;
  });
}
