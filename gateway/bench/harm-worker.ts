import { parentPort, workerData } from 'node:worker_threads';
import { loadTask, type Task } from '../task.ts';
import { retrain } from '../train/retrain.ts';
import { drawTrial, learnedFrom, runTrial } from './harm-trial.ts';
import type { FirstModel } from './harm-world.ts';

/**
 * A thread that runs trials: it is sent seeds, and answers each with its result.
 *
 * `workerData` is `{ perClass }`: windows made of each class's labels, as the task's recipe has it.
 */
const { perClass } = workerData as { perClass: number };
const gesture = loadTask('gesture');
const augment = { ...gesture.training.augment, perClass };
const task: Task = { ...gesture, training: { ...gesture.training, augment } };
const firsts = new Map<number, Promise<FirstModel>>();

parentPort?.on('message', async (seed: number) => {
  try {
    const result = await runTrial(task, drawTrial(seed), firstModel);
    parentPort?.postMessage({ result });
  } catch (error) {
    parentPort?.postMessage({ seed, error: (error as Error).stack ?? String(error) });
  }
});

/** The first model of a wearer, through the gate like any other. */
function firstModel(who: number): Promise<FirstModel> {
  const known = firsts.get(who) ?? train(who);
  firsts.set(who, known);
  return known;
}

async function train(who: number): Promise<FirstModel> {
  const learned = learnedFrom(task, who);
  const { chosen, attempts } = await retrain({
    ...{ task, champion: null, championReference: null, championSaid: [], origins: [], memory: [] },
    ...{
      recentByDevice: new Map(),
      lately: new Map(),
      labelled: new Map(),
      regimes: [],
      isShared: true,
    },
    ...{ mustPass: [], budgets: () => [], seed: who },
    data: { fresh: learned, old: [], recent: [] },
  });
  if (chosen === null) throw new Error(`no first model: ${attempts.at(-1)?.report.reason}`);
  return { learned, parts: chosen.parts, report: chosen.report };
}
