import { buildBundle } from '../../device/build.ts';
import { loadBoard } from '../board.ts';
import { GatewayError } from '../errors.ts';
import { type Recording, type Recordings, readRecordings } from '../recordings.ts';
import type { ReplayOptions, ReplayReport, ReplaySeed } from '../report.ts';
import { loadTask, type Task } from '../task.ts';
import { replaySeed } from './seed.ts';
import { summarise } from './stages.ts';

/** The board whose double the virtual devices run on; also that of a real Espruino on Linux. */
const REPLAY_BOARD = 'espruino-linux';

/**
 * Runs the whole loop over recordings, as fast as it goes: a model is trained on one person's
 * windows and rolled out, then a device changes its wearer, and what the *devices* predict is
 * counted before and after the loop has healed it.
 *
 * Nothing is chosen on the windows that are counted: the labelled ones are drawn by seed and left
 * out, the recipe is the task's.
 *
 * @param options see ReplayOptions
 * @returns means over the seeds, and each seed
 * @throws GatewayError 'bad-task', 'bad-recordings' with one clear line; 'cancelled'
 */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const loaded = loadTask(options.task);
  if (loaded.kind !== 'classification') {
    throw new GatewayError('bad-task', `no replay of task '${loaded.name}': it has no classes`, {
      hint: 'recordings are files of classes; a gateway and its devices do run it: whetstone start',
    });
  }
  const task = forSelection(loaded, options);
  const recordings = readRecordings(options.data, task);
  const { from, to } = choosePeople(recordings, options);
  readRecordings(options.data, task, [from, to]); // says which class of whom is empty
  const people = { from: recordings.people[from]!, to: recordings.people[to]! };
  checkLabels(options, task.classes, people.to);
  const board = loadBoard(REPLAY_BOARD);
  const bundle = await buildBundle({ board, task });
  const perSeed: ReplaySeed[] = [];
  for (let seed = 1; seed <= options.seeds; seed++) {
    const onProgress = (done: number, what: string): void =>
      options.onProgress?.((seed - 1 + done) / options.seeds, `seed ${seed}: ${what}`);
    perSeed.push(await replaySeed({ task, board, bundle, options, people, to, seed, onProgress }));
  }
  return {
    ...{ task: task.name, from, to, windows: people.from.length + people.to.length },
    ...{ unusable: recordings.unusable, ignored: recordings.ignored },
    ...meanOf(perSeed),
    perSeed,
  };
}

/**
 * To choose among all windows, all of them have to be at the gateway, raw: a replay's devices then
 * send everything. On a real link devices keep what may be asked for.
 */
function forSelection(task: Task, { labels, select }: ReplayOptions): Task {
  if (labels === undefined || select !== 'active') return task;
  return { ...task, send: { ...task.send, confidentOneIn: 1, rawOneIn: 1 } };
}

function choosePeople(
  { people }: Recordings,
  options: Pick<ReplayOptions, 'from' | 'to' | 'data'>,
): { from: string; to: string } {
  const names = Object.keys(people).sort((a, b) => people[b]!.length - people[a]!.length);
  const from = options.from ?? names.find((name) => name !== options.to);
  const to = options.to ?? names.find((name) => name !== from);
  const missing = [from, to].find((name) => name !== undefined && !(name in people));
  if (from === undefined || to === undefined || from === to || missing !== undefined) {
    const two =
      from === to && from !== undefined ? `two people are needed, not '${from}' twice` : '';
    const what =
      missing === undefined
        ? two || 'recordings of two people are needed'
        : `no recordings of '${missing}'`;
    throw new GatewayError('bad-recordings', `${what} in ${options.data}`, {
      hint: `there are: ${names.join(', ') || 'none'}`,
    });
  }
  return { from, to };
}

function checkLabels(
  { labels, labelsPerClass }: ReplayOptions,
  classes: readonly string[],
  windows: readonly Recording[],
): void {
  classes.forEach((name, cls) => {
    const there = windows.filter((window) => window.cls === cls).length;
    if ((labelsPerClass ?? 0) < there) return;
    throw new GatewayError(
      'bad-recordings',
      `${labelsPerClass} labels a class leave no window of '${name}' to test on`,
      {
        hint: `there are ${there}`,
      },
    );
  });
  if ((labels ?? 0) >= windows.length) {
    throw new GatewayError('bad-recordings', `${labels} labels leave no window to test on`, {
      hint: `there are ${windows.length}`,
    });
  }
}

type Means = Omit<ReplaySeed, 'seed'>;

/** Means over the seeds; where some seeds have no value, over those that have one. */
function meanOf(all: readonly ReplaySeed[]): Means {
  const mean = (value: (seed: ReplaySeed) => number): number =>
    all.reduce((sum, seed) => sum + value(seed), 0) / all.length;
  const meanOrNull = (value: (seed: ReplaySeed) => number | null): number | null => {
    const known = all.map(value).filter((x) => x !== null);
    return known.length < all.length ? null : known.reduce((sum, x) => sum + x, 0) / known.length;
  };
  const sum = (value: (seed: ReplaySeed) => number): number =>
    all.reduce((s, x) => s + value(x), 0);
  const withEspruino = all.every((seed) => seed.espruino !== undefined);
  return {
    labelsUsed: mean((s) => s.labelsUsed),
    accuracy: {
      trained: mean((s) => s.accuracy.trained),
      shifted: mean((s) => s.accuracy.shifted),
      updated: mean((s) => s.accuracy.updated),
    },
    labelsTo90: meanOrNull((s) => s.labelsTo90),
    drift: {
      alarmDelayWindows: meanOrNull((s) => s.drift.alarmDelayWindows),
      falseAlarms: mean((s) => s.drift.falseAlarms),
    },
    updates: all.flatMap((s) => s.updates),
    rollouts: {
      updated: sum((s) => s.rollouts.updated),
      reverted: sum((s) => s.rollouts.reverted),
    },
    samples: { lost: sum((s) => s.samples.lost), duplicated: sum((s) => s.samples.duplicated) },
    selfTests: {
      equal: sum((s) => s.selfTests.equal),
      different: sum((s) => s.selfTests.different),
    },
    stages: summarise(all.flatMap(({ stages }) => stages.devices)),
    ...(withEspruino && {
      espruino: {
        windows: sum((s) => s.espruino!.windows),
        different: sum((s) => s.espruino!.different),
      },
    }),
  };
}
