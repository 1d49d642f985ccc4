import { createRandom, type Random } from '../random.ts';
import type { LabelledWindow } from './augment.ts';

/** Made-up anomalies that a model of what is normal is tried on. */
const PROBES = 120;
/** Times as strong as it was; as far as a change goes that nobody would call normal variation. */
const STRONGER = 3;
/** Samples that are knocked to the end of the range. */
const KNOCKS = 4;

type Distortion = (window: Int8Array, axes: number, length: number, random: Random) => void;

/** Ways in which a window can be wrong whatever its sensor measures. */
const distortions: readonly Distortion[] = [stronger, noisy, exchanged, knocked];

/**
 * Anomalies made of normal windows: stronger, noisier, with two axes exchanged, or knocked about.
 *
 * They stand for no fault of any machine. A model that does not see most of them sees nothing, which
 * cannot be told otherwise where nobody has labelled an anomaly.
 *
 * @param windows normal ones
 * @param axes values in a sample
 * @param seed same seed, same probes
 * @returns none without windows
 */
export function makeProbes(
  windows: readonly Pick<LabelledWindow, 'window' | 'length'>[],
  axes: number,
  seed: number,
): { window: Int8Array; length: number }[] {
  if (windows.length === 0) return [];
  const random = createRandom(seed);
  return Array.from({ length: PROBES }, (_, i) => {
    const { window, length } = windows[random.integer(windows.length)]!;
    const probe = window.slice();
    distortions[i % distortions.length]!(probe, axes, length, random);
    return { window: probe, length };
  });
}

const clamp = (value: number): number => Math.max(-128, Math.min(127, Math.round(value)));

function statistics(
  window: Int8Array,
  axis: number,
  axes: number,
  length: number,
): { mean: number; deviation: number } {
  let sum = 0;
  let squares = 0;
  for (let t = 0; t < length; t++) sum += window[t * axes + axis]! / length;
  for (let t = 0; t < length; t++) squares += (window[t * axes + axis]! - sum) ** 2 / length;
  return { mean: sum, deviation: Math.sqrt(squares) };
}

function stronger(window: Int8Array, axes: number, length: number): void {
  for (let a = 0; a < axes; a++) {
    const { mean } = statistics(window, a, axes, length);
    for (let t = 0; t < length; t++) {
      const at = t * axes + a;
      window[at] = clamp(mean + (window[at]! - mean) * STRONGER);
    }
  }
}

function noisy(window: Int8Array, axes: number, length: number, random: Random): void {
  for (let a = 0; a < axes; a++) {
    const { deviation } = statistics(window, a, axes, length);
    for (let t = 0; t < length; t++) {
      const at = t * axes + a;
      window[at] = clamp(window[at]! + random.gaussian() * Math.max(1, STRONGER * deviation));
    }
  }
}

/** Two axes change places; a single one is turned over. */
function exchanged(window: Int8Array, axes: number, length: number, random: Random): void {
  const a = random.integer(axes);
  const b = (a + 1) % axes;
  for (let t = 0; t < length; t++) {
    const [at, other] = [t * axes + a, t * axes + b];
    const held = window[at]!;
    window[at] = a === b ? clamp(-held) : window[other]!;
    if (a !== b) window[other] = held;
  }
}

function knocked(window: Int8Array, axes: number, length: number, random: Random): void {
  for (let i = 0; i < KNOCKS; i++) {
    const t = random.integer(length);
    for (let a = 0; a < axes; a++) window[t * axes + a] = random.uniform(0, 1) < 0.5 ? -128 : 127;
  }
}
