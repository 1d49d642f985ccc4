import { parentPort, workerData } from 'node:worker_threads';
import { loadTask, type Task } from '../task.ts';
import { drawTrial, learnedFrom, runTrial } from './harm-trial.ts';
import { type FirstModel, trainFirst } from './harm-world.ts';

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
  const known = firsts.get(who) ?? trainFirst(task, learnedFrom(task, who), who);
  firsts.set(who, known);
  return known;
}
