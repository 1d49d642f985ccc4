import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readRecordings } from '../recordings.ts';
import { loadTask, type Task } from '../task.ts';
import type { QuantModel } from '../train/model.ts';
import { type Example, trainRung } from '../train/rungs.ts';
import { type Curve, type CurveRun, labelCurve, type Select } from './label-curve.ts';
import { type BenchOptions, type BenchRow, round } from './report.ts';
import { meanOf, medianOf } from './spread.ts';

const SELECTS: readonly Select[] = ['active', 'random'];

/** One wearer's model on another: labels to 90 % that are aimed at, and what quick experiments needed. */
const WEARERS = [
  { from: 'james-v2', to: 'conor-v2', aim: 6, quick: { active: 6, random: 16 } },
  { from: 'conor-v2', to: 'james-v2', aim: 24, quick: { active: 26, random: 38 } },
];
const GESTURE = { seeds: 20, accuracy: 0.9, at: [3, 6, 12, 24], guessAt: [6, 12], most: 80 };

/**
 * The model of the first batch on each later one. `regression` is the accuracy of a logistic regression
 * with 20 random labels, `quick` that of quick experiments with 20 chosen ones.
 */
const GAS = {
  seeds: 10,
  first: 'batch1',
  batches: ['batch2', 'batch3', 'batch4', 'batch5', 'batch6'],
  at: [5, 10, 20, 50],
  guessAt: [5, 10, 20],
  budget: 20,
  aim: 0.98,
  regression: 0.923,
  quick: 0.983,
};

/**
 * Labels against accuracy, chosen by the active selector and at random with the same recipe, in int8
 * by the device's kernel, on every window that got no label.
 *
 * @param options data: a folder with bangle-gestures and gas-drift; seeds: default 20 for gestures and
 *   10 for gas
 */
export async function labelRows(options: BenchOptions): Promise<BenchRow[]> {
  return [...(await gestureRows(options)), ...(await gasRows(options))];
}

async function gestureRows(options: BenchOptions): Promise<BenchRow[]> {
  const { data, seeds = GESTURE.seeds, onProgress } = options;
  const { accuracy, at, guessAt, most } = GESTURE;
  const task = loadTask('gesture');
  const rows: BenchRow[] = [];
  for (const { from, to, aim, quick } of WEARERS) {
    const name = `gestures ${from} → ${to}`;
    const people = peopleOf(data, 'bangle-gestures', task, [from, to]);
    if (people === undefined) {
      rows.push(missing(`${name}, labels to 90 %, active`, 'labels', `at most ${aim}`));
      continue;
    }
    const run = { task, from: people[from]!, to: people[to]!, at, guessAt, until: accuracy, most };
    // a personal head rehearses only what its wearer has not labelled yet
    const old: CurveRun['old'] = (known) => run.from.filter(({ cls }) => !known.has(cls));
    const curves = await curvesOf({ ...run, old }, seeds, (seed) =>
      onProgress?.(`${name}, seed ${seed} of ${seeds}`),
    );
    const needed = (select: Select) => curves[select].map(({ reached }) => reached);
    for (const select of SELECTS) {
      const { value, interval } = medianOf(needed(select));
      rows.push({
        ...{ name: `${name}, labels to 90 %, ${select}`, unit: 'labels' },
        ...{ value: finite(value), interval: [finite(interval[0]), finite(interval[1])] },
        perSeed: needed(select).map(finite),
        ...{ peer: 'quick experiments', peerValue: quick[select] },
        ratio: round(quick[select] / value, 2),
        ...(select === 'active' && { aim: `at most ${aim}`, met: value <= aim }),
      });
    }
    rows.push(...curveRows(name, at, curves), ...guessRows(name, guessAt, curves.active));
  }
  return rows;
}

/** A bench prints numbers: what was not reached counts as one label more than were tried. */
function finite(labels: number): number {
  return Math.min(labels, GESTURE.most + 1);
}

async function gasRows(options: BenchOptions): Promise<BenchRow[]> {
  const { data, seeds = GAS.seeds, onProgress } = options;
  const task = linear(loadTask('gas'));
  const { first, batches, at, guessAt, budget, aim, regression, quick } = GAS;
  const name = `gas, batch 1 and labels of K = 2…6`;
  const people = peopleOf(data, 'gas-drift', task); // a batch may lack a gas
  if (people === undefined) {
    return [missing(`${name}, ${budget} labels, active`, 'share', `at least ${aim}`)];
  }
  const perBatch: Record<Select, Curve[]>[] = [];
  for (const batch of batches) {
    const from = people[first]!;
    const shared = { task, from, old: () => from, at, guessAt, until: 0, most: 0 };
    const run = { ...shared, to: people[batch]! };
    perBatch.push(
      await curvesOf(run, seeds, (seed) =>
        onProgress?.(`gas, ${first} → ${batch}, seed ${seed} of ${seeds}`),
      ),
    );
  }
  const means = {
    active: meanCurves(perBatch.map(({ active }) => active)),
    random: meanCurves(perBatch.map(({ random }) => random)),
  };
  const aimed = means.active.map((curve) => curve.at.get(budget)!);
  const chosen = meanOf(aimed, 4);
  return [
    {
      ...{ name: `${name}, ${budget} labels, active`, unit: 'share', ...chosen },
      perSeed: aimed.map((value) => round(value, 4)),
      ...{ peer: 'quick experiments', peerValue: quick },
      ratio: round(chosen.value / quick, 3),
      ...{ aim: `at least ${aim}`, met: chosen.value >= aim },
    },
    {
      name: `${name}, ${budget} labels, random`,
      unit: 'share',
      ...meanOf(
        means.random.map((curve) => curve.at.get(budget)!),
        4,
      ),
      ...{ peer: 'logistic regression', peerValue: regression },
    },
    ...curveRows(name, at, means),
    ...guessRows(name, guessAt, means.active),
    ...batches.flatMap((batch, k) => curveRows(`gas ${first} → ${batch}`, [budget], perBatch[k]!)),
  ];
}

/** Both ways to choose, seed by seed, from the same first model. */
async function curvesOf(
  run: Omit<CurveRun, 'select' | 'seed'>,
  seeds: number,
  onSeed: (seed: number) => void,
): Promise<Record<Select, Curve[]>> {
  const curves: Record<Select, Curve[]> = { active: [], random: [] };
  for (let seed = 1; seed <= seeds; seed++) {
    onSeed(seed);
    const first = await firstModel(run.task, run.from, seed);
    for (const select of SELECTS) {
      const guessAt = select === 'active' ? run.guessAt : [];
      curves[select].push(await labelCurve({ ...run, guessAt, select, seed }, first));
    }
  }
  return curves;
}

/** The task with a single dense layer: all of it is head, and learns from a handful of labels. */
function linear(task: Task): Task {
  const units = task.classes.length;
  const layers: Task['architecture']['layers'] = [{ type: 'dense', units, activation: 'none' }];
  return { ...task, architecture: { layers, cut: 0 } };
}

async function firstModel(
  task: Task,
  fresh: readonly Example[],
  seed: number,
): Promise<QuantModel> {
  return (await trainRung('whole', task, null, { fresh, old: [], recent: [] }, { seed })).model;
}

/** The accuracy at each number of labels, beside that of as many random ones. */
function curveRows(
  name: string,
  at: readonly number[],
  curves: Record<Select, readonly Curve[]>,
): BenchRow[] {
  return at.map((n) => {
    const of = (select: Select) => curves[select].map((curve) => curve.at.get(n)!);
    const { value, interval } = meanOf(of('active'), 4);
    const random = meanOf(of('random'), 4).value;
    return {
      ...{ name: `${name}, accuracy with ${n} labels`, unit: 'share', value },
      ...(interval && { interval }),
      perSeed: of('active').map((share) => round(share, 4)),
      ...{ peer: 'random, same recipe', peerValue: random, ratio: round(value / random, 3) },
    };
  });
}

/** What windows without a label add, beside the same labels alone. */
function guessRows(name: string, at: readonly number[], curves: readonly Curve[]): BenchRow[] {
  return at.map((n) => {
    const guessing = curves.map((curve) => curve.guessing.get(n)!);
    const alone = meanOf(
      curves.map((curve) => curve.at.get(n)!),
      4,
    ).value;
    const { value, interval } = meanOf(guessing, 4);
    return {
      ...{ name: `${name}, ${n} labels and pseudo-labels`, unit: 'share', value },
      ...(interval && { interval }),
      perSeed: guessing.map((share) => round(share, 4)),
      ...{ peer: 'the labels alone', peerValue: alone, ratio: round(value / alone, 3) },
    };
  });
}

/** Seed by seed the mean of several curves. @param all [curve][seed] */
function meanCurves(all: readonly (readonly Curve[])[]): Curve[] {
  const mean = (maps: readonly ReadonlyMap<number, number>[]): Map<number, number> =>
    new Map(
      [...maps[0]!.keys()].map((n) => [
        n,
        maps.reduce((sum, map) => sum + map.get(n)!, 0) / maps.length,
      ]),
    );
  return all[0]!.map((_, seed) => ({
    at: mean(all.map((curves) => curves[seed]!.at)),
    guessing: mean(all.map((curves) => curves[seed]!.guessing)),
    reached: 0,
  }));
}

function peopleOf(
  data: string | undefined,
  folder: string,
  task: Task,
  names?: string[],
): Record<string, Example[]> | undefined {
  const path = data === undefined ? undefined : join(data, folder);
  if (path === undefined || !existsSync(path)) return undefined;
  return readRecordings(path, task, names).people;
}

function missing(name: string, unit: string, aim: string): BenchRow {
  return { name, unit, aim, skipped: 'skipped: no recordings' };
}
