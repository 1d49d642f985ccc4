import { readFileSync } from 'node:fs';

/** A window by its recipe, see the origin in test/vectors/features.json. */
export interface FeatureWindow {
  kind: 'walk' | 'noise' | 'extreme' | 'constant';
  seed: number;
  n: number;
}

/** The golden vectors of the feature sets. */
export function featureCases(): (FeatureWindow & { features: number[] })[] {
  const url = new URL('../vectors/features.json', import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')).cases;
}

/** Makes the window: int8, 50 samples of 3 axes, zero after n samples. */
export function featureWindow({ kind, seed, n }: FeatureWindow): Int8Array {
  const window = new Int8Array(150);
  let value = 0;
  let state = seed;
  for (let i = 0; i < 3 * n; i++) {
    state = (state * 75 + 74) % 65537;
    value = Math.max(-128, Math.min(127, value + (state % 41) - 20));
    if (kind === 'walk') window[i] = value;
    if (kind === 'noise') window[i] = (state % 256) - 128;
    if (kind === 'extreme') window[i] = state % 2 === 1 ? -128 : 127;
  }
  return window;
}
