import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createRandom } from '../random.ts';

/** A stream with its drifts. */
export interface DriftStream {
  name: string;
  vectors: number[][];
  /** class of each; absent where only features matter */
  labels?: number[];
  /** where the drifts begin; undefined where nobody knows */
  drifts?: number[];
  /** an alarm counts up to so many values after a drift began */
  tolerance: number;
  /** whether the features' own distribution changes at the drifts */
  featuresMove: boolean;
}

/** How a recorded stream is found and judged. */
export interface RecordedStream {
  name: string;
  file: string;
  /** values from one drift to the next; undefined where nobody knows */
  period?: number;
  tolerance: number;
  /** its features' own distribution changes with it (known for circles: its classes are balanced) */
  featuresMove: boolean;
}

/**
 * The streams of the 'tornado' framework with known drifts, each tolerated as in its paper, and elec2.
 *
 * @source Pesaranghader and Viktor 2016, Fast Hoeffding Drift Detection Method for Evolving Data
 *   Streams (acceptable delay 250 for abrupt, 1000 for gradual drifts)
 */
export const recordedStreams: readonly RecordedStream[] = [
  {
    name: 'sine1',
    file: 'sine1_w_50_n_0.1_101.arff.gz',
    period: 20_000,
    tolerance: 250,
    featuresMove: false,
  },
  {
    name: 'circles',
    file: 'circles_w_500_n_0.1_101.arff.gz',
    period: 25_000,
    tolerance: 1000,
    featuresMove: true,
  },
  {
    name: 'mixed',
    file: 'mixed_w_50_n_0.1_101.arff.gz',
    period: 20_000,
    tolerance: 250,
    featuresMove: false,
  },
  { name: 'elec2', file: 'elec2.csv', tolerance: 250, featuresMove: true },
];

/**
 * Reads a recorded stream: a gzipped ARFF file, or CSV with a header line; the class stands last.
 *
 * @param dir folder of the recordings
 * @param from which
 * @returns the stream; words of a nominal attribute are counted from 0 in the order they appear
 * @throws the file system's error if it cannot be read
 */
export function readDriftStream(dir: string, from: RecordedStream): DriftStream {
  const bytes = readFileSync(join(dir, from.file));
  const lines = (from.file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().split(/\r?\n/);
  const isData = (line: string) => line !== '' && !line.startsWith('@') && !line.startsWith('%');
  const rows = lines.slice(from.file.endsWith('.csv') ? 1 : 0).filter(isData);
  const words = new Map<number, Map<string, number>>();
  const numberOf = (text: string, column: number): number => {
    const value = Number(text);
    if (!Number.isNaN(value)) return value;
    const known = words.get(column) ?? new Map<string, number>();
    words.set(column, known);
    if (!known.has(text)) known.set(text, known.size);
    return known.get(text)!;
  };
  const vectors = rows.map((row) =>
    row.split(',').map((text, column) => numberOf(text.trim(), column)),
  );
  const labels = vectors.map((row) => row.pop()!);
  const { name, tolerance, period, featuresMove } = from;
  const stream = { name, vectors, labels, tolerance, featuresMove };
  if (period === undefined) return stream;
  const count = Math.ceil(rows.length / period) - 1;
  return { ...stream, drifts: Array.from({ length: count }, (_, i) => (i + 1) * period) };
}

/**
 * SYNTHETIC vectors of normal features, in which something changes every 2,500: the means of two of
 * eight features by one deviation; or of three features only the correlation of two, to 0.95 and back.
 *
 * @param what changes
 * @returns the stream, without classes
 */
export function syntheticStream(what: 'means' | 'correlation'): DriftStream {
  const random = createRandom(4);
  const period = 2500;
  const means = what === 'means';
  const [a, b] = movedFeatures;
  const vectors = Array.from({ length: 20_000 }, (_, i) => {
    const changed = Math.floor(i / period) % 2 === 1;
    const x = Array.from({ length: means ? 8 : 3 }, () => random.gaussian());
    if (changed && means) for (const feature of movedFeatures) x[feature] += 1;
    if (changed && !means) x[b] = 0.95 * x[a] + Math.sqrt(1 - 0.95 ** 2) * x[b];
    return x;
  });
  const drifts = Array.from({ length: vectors.length / period - 1 }, (_, i) => (i + 1) * period);
  const name = means ? 'SYNTHETIC, two of eight means' : 'SYNTHETIC, a correlation';
  return { name, vectors, drifts, tolerance: 500, featuresMove: true };
}

/** The features that change in {@link syntheticStream}. */
export const movedFeatures = [0, 2] as const;
