import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Recording, readRecordings } from '../recordings.ts';
import { parseArrayValues } from '../recordings-array.ts';
import type { Task } from '../task.ts';
import type { Batch } from '../train/committee.ts';

/** One batch of the recordings: windows as a device sends them, and the figures they were made of. */
export interface GasBatch {
  windows: Recording[];
  /** [n][features] floats; for the peer alone */
  raw: Float32Array;
}

/**
 * Reads the batches of the gas recordings, in the order of time.
 *
 * @param data folder that has gas-drift, or is it
 * @param task the gas task
 * @param classes only windows of the first so many classes
 * @returns undefined where there are no recordings
 */
export function readGas(
  data: string | undefined,
  task: Task,
  classes: number,
): GasBatch[] | undefined {
  if (data === undefined) return undefined;
  const inside = join(data, 'gas-drift');
  const dir = existsSync(inside) ? inside : data;
  if (!existsSync(join(dir, 'batch1.dat.gz'))) return undefined;
  const { people } = readRecordings(dir, task);
  return Object.keys(people)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => {
      const windows = people[name]!.filter(({ cls }) => cls < classes);
      return { windows, raw: rawOf(windows, task) };
    });
}

function rawOf(windows: readonly Recording[], task: Task): Float32Array {
  const lines = new Map<string, string[]>();
  const rows = windows.map(({ file, line }) => {
    if (!lines.has(file)) lines.set(file, gunzipSync(readFileSync(file)).toString().split('\n'));
    const parsed = parseArrayValues(lines.get(file)![line - 1]!, task);
    if (typeof parsed === 'string') throw new RangeError(parsed);
    return [...parsed.values];
  });
  return Float32Array.from(rows.flat());
}

/** The int8 windows of a batch as numbers to learn from. */
export function int8Rows({ windows }: GasBatch): Batch {
  const features = windows[0]!.window.length;
  const x = new Float32Array(windows.length * features);
  windows.forEach(({ window }, i) => {
    x.set(window, i * features);
  });
  const labels = Int32Array.from(windows, ({ cls }) => cls);
  return { x, n: windows.length, features, labels };
}

/** The figures of a batch as they were measured. */
export function rawRows({ windows, raw }: GasBatch): Batch {
  const labels = Int32Array.from(windows, ({ cls }) => cls);
  return { x: raw, n: windows.length, features: raw.length / windows.length, labels };
}
