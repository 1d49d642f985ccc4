import type { LayerSpec, Task } from '../task.ts';
import { nextWidth } from './prune.ts';

/** A net that could be the task's. */
export interface Candidate {
  /** 'motion 32→9': features, widths, and from what it is pruned */
  name: string;
  /** the task with these features and layers, and nothing else changed */
  task: Task;
}

/** Hidden units that are tried as they are; the widest is also what narrower ones are pruned from. */
const UNITS = [4, 8, 16, 32];
/** Filters, alike. */
const FILTERS = [4, 8, 16];
/** Widths of which there are two convolutions. */
const TWICE = [8, 9, 16];
/** That of the design's first net. */
const KERNEL = { kernel: 5, stride: 2, padding: 'same', activation: 'relu' } as const;
/** Least width that pruning goes to: below it a ReLU layer tells few classes apart. */
const LEAST = 3;
/** Samples from which on a window has statistics, and enough of them to convolve twice. */
const SAMPLES = { statistics: 4, conv: 16 };

/**
 * The nets that a search tries: the task's own first, then for each set of features that suits the
 * sensor a linear one and nets of one hidden layer; for raw windows convolutions; each width trained
 * as it is, and pruned from the widest.
 *
 * A subset of the features is one of the sets. Single columns are not dropped: the device computes
 * and normalises a set as a whole, so that a column with multiplier 0 keeps its bytes.
 *
 * @param task whose features, sensor and classes decide what is possible
 * @returns candidates, none twice
 */
export function candidatesOf(task: Task): Candidate[] {
  const { architecture, window, sensor, features } = task;
  const made: Candidate[] = [
    { name: `task (${features})`, task: withNet(task, features, architecture.layers) },
  ];
  if (architecture.deeper !== undefined) {
    made.push({ name: `task, deeper`, task: withNet(task, features, architecture.deeper) });
  }
  const out: LayerSpec = { type: 'dense', units: task.classes.length, activation: 'none' };
  const add = (name: string, set: Task['features'], layers: LayerSpec[]): void => {
    made.push({ name, task: withNet(task, set, [...layers, out]) });
  };
  const hidden = (set: Task['features']): void => {
    add(`${set} linear`, set, []);
    for (const { width, from } of widths(UNITS)) {
      const pruned = from === undefined ? {} : { prunedFrom: from };
      add(`${set} ${label(width, from)}`, set, [
        { type: 'dense', units: width, activation: 'relu', ...pruned },
      ]);
    }
  };
  const isVector = window.samples < SAMPLES.statistics;
  if (isVector || window.samples < SAMPLES.conv) hidden('raw');
  if (!isVector) hidden('statistics');
  if (!isVector && sensor.axes.length === 3) hidden('motion');
  if (window.samples >= SAMPLES.conv) {
    for (const { width, from } of widths(FILTERS)) {
      const pruned = from === undefined ? {} : { prunedFrom: from };
      const conv: LayerSpec = { type: 'conv1d', filters: width, ...KERNEL, ...pruned };
      const max: LayerSpec = { type: 'maxpool1d', pool: 2, stride: 2 };
      add(`conv ${label(width, from)}`, 'raw', [conv, max]);
      // they take the most time by far: three of them
      if (TWICE.includes(width)) {
        add(`conv twice ${label(width, from)}`, 'raw', [conv, conv, averageOf(window.samples)]);
      }
    }
  }
  const seen = new Set<string>();
  return made.filter(
    ({
      task: {
        features: set,
        architecture: { layers },
      },
    }) => {
      const key = JSON.stringify([set, layers]);
      return !seen.has(key) && seen.add(key);
    },
  );
}

/** A pool that leaves about three steps of time behind two convolutions in steps of two. */
function averageOf(samples: number): LayerSpec {
  const steps = Math.ceil(Math.ceil(samples / KERNEL.stride) / KERNEL.stride);
  const pool = Math.floor(steps / 3);
  return { type: 'avgpool1d', pool, stride: pool };
}

/** Each width as it is, then what pruning passes on its way down from the widest. */
function widths(plain: readonly number[]): { width: number; from?: number }[] {
  const from = plain.at(-1)!;
  const pruned: { width: number; from: number }[] = [];
  for (let width = nextWidth(from, LEAST); width > LEAST; width = nextWidth(width, LEAST)) {
    pruned.push({ width, from });
  }
  return [...plain.map((width) => ({ width })), ...pruned, { width: LEAST, from }];
}

function label(width: number, from?: number): string {
  return from === undefined ? `${width}` : `${from}→${width}`;
}

/**
 * The task with other features and another net; its head is the last layer. What it may grow to does
 * not go with it.
 */
function withNet(task: Task, features: Task['features'], layers: readonly LayerSpec[]): Task {
  return {
    ...task,
    features,
    architecture: { layers: [...layers], cut: layers.length - 1 },
  };
}
