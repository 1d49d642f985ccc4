import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../random.ts';
import { type Recording, readRecordings } from '../recordings.ts';
import { loadTask, parseTask, type Task } from '../task.ts';
import type { GateReport } from '../train/gate-report.ts';
import type { ModelParts } from '../train/model.ts';
import { retrain } from '../train/retrain.ts';
import { openWorld } from './harm-world.ts';
import type { BenchOptions, BenchRow } from './report.ts';
import { shareOfRight } from './share-of-right.ts';
import { meanOf } from './spread.ts';

/** A person whose recordings have a seventh gesture that the task gesture ignores. */
interface Case {
  person: string;
  gesture: string;
}
const CASES: readonly Case[] = [
  { person: 'james-v2', gesture: 'snap' },
  { person: 'conor-v2', gesture: 'swipeup' },
];
/** Labels of the seventh gesture; the issue's own protocol. */
const EXAMPLES = 5;
/** Share of each old class that no training sees, and on which the loss is measured. */
const TEST_SHARE = 0.3;
/** Old windows that the device sees before the new gesture, and windows until a rollout is given up. */
const SEEN = 30;
const TRIAL_WINDOWS = 300;
/** What is aimed at. */
const AIM = { recall: 90, lossPoints: 1 };
const SEEDS = 10;

/** What became of one seed; a share is 0 to 1. */
export interface NewClassTrial {
  /** of the new class, by what the device runs in the end; 0 where nothing was released */
  recall: number;
  before: number;
  after: number;
  /** whether it was released and came through its trial; the gate's reason either way */
  released: boolean;
  reason: string;
}

/**
 * Learns a seventh gesture from five labels on a device whose model knows six, by store, audit,
 * training, gate and rollout; only the link is left out. Everything is judged in int8 by the device's
 * own kernel: the new class on all its windows but the five, the old ones on windows that no training
 * saw.
 *
 * @param options folder with bangle-gestures, and seeds
 * @returns rows of recall and loss of each person; skipped without recordings
 * @throws GatewayError 'bad-recordings' if the recordings of a person are not there
 */
export async function newClassRows(options: BenchOptions): Promise<BenchRow[]> {
  const { data, seeds = SEEDS, onProgress } = options;
  const rows: BenchRow[] = [];
  for (const one of CASES) {
    const aims = rowsOf(one);
    const folder = join(data ?? '', 'bangle-gestures');
    if (data === undefined || !existsSync(folder)) {
      rows.push(...aims.map((row) => ({ ...row, skipped: 'skipped: no recordings' })));
      continue;
    }
    const tasks = tasksOf(one);
    const windows = readRecordings(folder, tasks.after, [one.person]).people[one.person]!;
    const trials: NewClassTrial[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      onProgress?.(`${one.gesture} of ${one.person}, seed ${seed} of ${seeds}`);
      trials.push(await learnNewClass(tasks, windows, seed));
    }
    rows.push(...measured(aims, trials));
  }
  return rows;
}

function rowsOf({ person, gesture }: Case): [BenchRow, BenchRow, BenchRow] {
  const name = `a seventh gesture from ${EXAMPLES} labels, ${person} ${gesture}`;
  return [
    { name: `${name}: recall`, unit: '%', aim: `at least ${AIM.recall}` },
    { name: `${name}: loss on the six`, unit: 'points', aim: `at most ${AIM.lossPoints}` },
    { name: `${name}: released`, unit: '% of seeds' },
  ];
}

function measured(
  [recall, loss, share]: [BenchRow, BenchRow, BenchRow],
  trials: NewClassTrial[],
): BenchRow[] {
  const recalls = trials.map((trial) => 100 * trial.recall);
  const losses = trials.map(({ before, after }) => 100 * (before - after));
  const released = trials.map((trial) => (trial.released ? 100 : 0));
  const of = (values: number[]) => ({ ...meanOf(values, 2), perSeed: values });
  return [
    { ...recall, ...of(recalls), met: meanOf(recalls, 2).value >= AIM.recall },
    { ...loss, ...of(losses), met: meanOf(losses, 2).value <= AIM.lossPoints },
    { ...share, value: meanOf(released, 0).value, perSeed: released },
  ];
}

/** The task gesture before and after its user has written down a new one. */
export function tasksOf({ gesture }: Case): { before: Task; after: Task } {
  const before = loadTask('gesture');
  const { layers, cut, deeper } = before.architecture;
  const classes = [...before.classes, gesture];
  const wider = (all: typeof layers) =>
    all.map((layer, i) => (i === all.length - 1 ? { ...layer, units: classes.length } : layer));
  const ignore = before.recordings.ignore.filter((name) => name !== gesture);
  return {
    before,
    after: parseTask({
      ...{ ...before, classes },
      architecture: { cut, layers: wider(layers), ...(deeper && { deeper: wider(deeper) }) },
      recordings: { ...before.recordings, ignore },
    }),
  };
}

/**
 * One seed.
 *
 * @param tasks before and after the new class, which is the last
 * @param windows of one person, of all classes
 * @param seed of everything
 */
async function learnNewClass(
  tasks: { before: Task; after: Task },
  windows: readonly Recording[],
  seed: number,
): Promise<NewClassTrial> {
  const { before, after } = tasks;
  const random = createRandom(seed, 90);
  const cls = before.classes.length;
  const learn: Recording[] = [];
  const test: Recording[] = [];
  before.classes.forEach((_, k) => {
    const own = windows.filter((window) => window.cls === k);
    random.shuffle(own);
    const kept = Math.round(TEST_SHARE * own.length);
    test.push(...own.slice(0, kept));
    learn.push(...own.slice(kept));
  });
  random.shuffle(learn);
  const fresh = windows.filter((window) => window.cls === cls);
  random.shuffle(fresh);
  const [shown, unseen] = [fresh.slice(0, EXAMPLES), fresh.slice(EXAMPLES)];
  const world = await openWorld(after, await firstModel(before, learn, seed), ['d1'], seed);
  try {
    const started = world.runs('d1');
    for (const window of learn.slice(0, SEEN)) await world.see('d1', window);
    for (const window of shown) {
      const sample = await world.see('d1', window);
      if (sample !== null) await world.label(sample, cls);
    }
    const healed = await world.gateway.loop.heal({ kind: 'device', id: 'd1' });
    const stage = () => world.gateway.loop.rollouts.get(healed.rollout!)!.stage;
    world.obey();
    if (healed.rollout !== null) {
      const isOpen = () => stage() === 'canary' || stage() === 'rest';
      for (let i = 0; i < TRIAL_WINDOWS && isOpen(); i++) {
        await world.see('d1', learn[i % learn.length]!);
      }
    }
    const runs = world.runs('d1');
    const released = healed.rollout !== null && stage() === 'settled';
    return {
      recall: shareOfRight(runs, unseen),
      before: shareOfRight(started, test),
      after: shareOfRight(runs, test),
      ...{ released, reason: healed.reason },
    };
  } finally {
    await world.close();
  }
}

/** A model of six classes, as the first training of a gateway makes it. */
async function firstModel(
  task: Task,
  learned: readonly Recording[],
  seed: number,
): Promise<{ learned: readonly Recording[]; parts: ModelParts; report: GateReport }> {
  const { chosen } = await retrain({
    ...{
      task,
      champion: null,
      championReference: null,
      isUpdated: false,
      championSaid: [],
      memory: [],
    },
    ...{ data: { fresh: learned, old: [], recent: [] }, regimes: [], isShared: true, mustPass: [] },
    origins: learned.map(() => ({ device: 'recordings', source: 'import' })),
    ...{
      recentByDevice: new Map(),
      lately: new Map(),
      labelled: new Map(),
      budgets: () => [],
      seed,
    },
  });
  if (chosen === null) throw new RangeError('six classes gave no first model');
  return { learned, parts: chosen.parts, report: chosen.report };
}
