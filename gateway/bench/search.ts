import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadBoard } from '../board.ts';
import { fitBoards } from '../board-fit.ts';
import { readRecordings } from '../recordings.ts';
import { loadTask, type Task } from '../task.ts';
import { createPredictor, encodeModel } from '../train/model.ts';
import { type Example, trainRung } from '../train/rungs.ts';
import { type SearchReport, searchModels } from '../train/search.ts';
import { type Candidate, candidatesOf } from '../train/search-candidates.ts';
import { foldsOf } from '../train/search-folds.ts';
import { type BenchOptions, type BenchRow, round } from './report.ts';
import { shareOfRight } from './share-of-right.ts';
import { meanOf } from './spread.ts';

const BOARD = 'puckjs';
const WEARERS = ['james-v2', 'conor-v2'];
/** Share of each wearer's windows of each class, the first in time, that the search may see. */
const EARLIER = 0.7;
const SEEDS = 5;
/** What the chosen net may be worse than the larger one on windows that came later. */
const AIM_POINTS = 0.01;
const NAMES = {
  accuracy: 'search, gestures: accuracy of the chosen net on later windows',
  largest: 'search, gestures: accuracy of the chosen net, beside the largest tried',
  bytes: 'search, gestures: bytes of the chosen net',
  bytesLargest: 'search, gestures: bytes of the chosen net, beside the largest tried',
};

/** What a test may shorten. */
export interface SearchBench {
  task: Task;
  people: readonly string[];
  candidates: readonly Candidate[];
}

/**
 * The net that a search on earlier recordings chooses, trained on these and judged on later ones in
 * int8, beside the task's own and the largest that was tried.
 *
 * @param options data: a folder with bangle-gestures; seeds: trainings that are judged
 */
export async function searchRows(
  { data, seeds = SEEDS, onProgress }: BenchOptions,
  bench: Partial<SearchBench> = {},
): Promise<BenchRow[]> {
  const task = bench.task ?? loadTask('gesture');
  const candidates = bench.candidates ?? candidatesOf(task);
  const folder = join(data ?? '', 'bangle-gestures');
  if (data === undefined || !existsSync(folder)) {
    const skipped = data === undefined ? 'no --data' : `no recordings in ${folder}`;
    const units: Record<string, string> = { accuracy: 'share', largest: 'share' };
    return Object.entries(NAMES).map(([key, name]) => ({
      name,
      unit: units[key] ?? 'bytes',
      skipped,
    }));
  }
  const { people } = readRecordings(folder, task, [...(bench.people ?? WEARERS)]);
  const { earlier, later } = split(people);
  const report = await searchModels({
    ...{ task, candidates, board: loadBoard(BOARD), seeds: Math.min(seeds, 3) },
    folds: foldsOf(earlier, task.classes.length, { by: 'time', labelsPerClass: 0 }),
    lacks: (model, parts, of) =>
      fitBoards(model, parts, of).find(({ board }) => board === BOARD)!.why,
    onProgress: (done, what) => onProgress?.(`search, ${Math.round(100 * done)} %: ${what}`),
  });
  const learn = Object.values(earlier).flat();
  const taskOf = (name: string) => candidates.find((one) => one.name === name)!.task;
  const judged = async (name: string): Promise<number[]> => {
    const all: number[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      onProgress?.(`search, later windows: ${name}, seed ${seed} of ${seeds}`);
      all.push(await accuracyOf(taskOf(name), learn, later, seed));
    }
    return all;
  };
  const names = contestants(report);
  const [chosen, own, largest] = [
    await judged(names.chosen.name),
    await judged(names.own.name),
    await judged(names.largest.name),
  ];
  return [
    accuracyRow(NAMES.accuracy, chosen, own, `the task's own: ${names.own.name}`),
    accuracyRow(NAMES.largest, chosen, largest, names.largest.name),
    bytesRow(NAMES.bytes, names.chosen, names.own, false),
    bytesRow(NAMES.bytesLargest, names.chosen, names.largest, true),
  ];
}

type Contestant = SearchReport['rows'][number];

function contestants({ rows }: SearchReport) {
  const fitting = rows.filter(({ fits }) => fits);
  return {
    chosen: fitting.find((row) => row.chosen)!,
    own: rows[0]!,
    largest: fitting.reduce((a, b) => (b.bytes > a.bytes ? b : a)),
  };
}

function accuracyRow(name: string, ours: number[], theirs: number[], peer: string): BenchRow {
  const peerValue = meanOf(theirs, 4).value;
  const { value, interval } = meanOf(ours, 4);
  return {
    ...{ name, unit: 'share', value, ...(interval && { interval }), perSeed: ours },
    ...{ peer, peerValue, ratio: round(value / peerValue, 3) },
    ...{ aim: `at most ${100 * AIM_POINTS} point less`, met: peerValue - value <= AIM_POINTS },
  };
}

function bytesRow(name: string, ours: Contestant, peer: Contestant, isAim: boolean): BenchRow {
  return {
    ...{ name: `${name}: ${ours.name}`, unit: 'bytes', value: ours.bytes },
    ...{ peer: peer.name, peerValue: peer.bytes, ratio: round(peer.bytes / ours.bytes, 2) },
    ...(isAim && { aim: 'no more', met: ours.bytes <= peer.bytes }),
  };
}

/** The first windows in time of each person and class, and those that came after. */
function split(people: Readonly<Record<string, readonly Example[]>>): {
  earlier: Record<string, Example[]>;
  later: Example[];
} {
  const earlier: Record<string, Example[]> = {};
  const later: Example[] = [];
  for (const [name, windows] of Object.entries(people)) {
    earlier[name] = [];
    for (const same of Map.groupBy(windows, ({ cls }) => cls).values()) {
      const until = Math.ceil(same.length * EARLIER);
      earlier[name].push(...same.slice(0, until));
      later.push(...same.slice(until));
    }
  }
  return { earlier, later };
}

async function accuracyOf(
  task: Task,
  fresh: readonly Example[],
  later: readonly Example[],
  seed: number,
): Promise<number> {
  const { model } = await trainRung('whole', task, null, { fresh, old: [], recent: [] }, { seed });
  return shareOfRight(createPredictor(encodeModel(model)), later);
}
