import type { Recording } from '../../gateway/recordings.ts';
import { syntheticRecordings } from '../../gateway/synthetic/recordings.ts';
import { someoneElse, wearer } from '../../gateway/synthetic/wearer.ts';
import type { Task } from '../../gateway/task.ts';
import type { QuantModel } from '../../gateway/train/model.ts';
import { createPredictor, encodeModel } from '../../gateway/train/model.ts';

/** SYNTHETIC Ann, and Bob on whom a model of Ann falls far. */
export const ann = wearer(1, 'ann');
export const bob = someoneElse(ann, 1, 'bob');

/** Windows of both; Bob's in the order in which classes take turns. */
export function twoPeople(task: Task, ofAnn: number, ofBob: number) {
  const share = (all: Recording[], each: number) => {
    const rank = task.classes.map(() => 0);
    const first: Recording[] = [];
    const rest: Recording[] = [];
    for (const one of all) (rank[one.cls]!++ < each ? first : rest).push(one);
    return { first, rest };
  };
  const a = share(syntheticRecordings(task, ann, ofAnn + 10, 11), ofAnn);
  const b = share(syntheticRecordings(task, bob, ofBob + 10, 22), ofBob);
  return {
    ann: { learn: a.first, test: a.rest },
    bob: { learn: b.first, test: b.rest },
  };
}

/** Share of windows that a model names right, by the device's kernel. */
export function accuracyOf(model: QuantModel, windows: readonly Recording[]): number {
  const predict = createPredictor(encodeModel(model));
  const right = windows.filter(({ window, length, cls }) => predict(window, length).cls === cls);
  return right.length / windows.length;
}

/** What a model says of each window. */
export function said(model: QuantModel, windows: readonly Recording[]): number[] {
  const predict = createPredictor(encodeModel(model));
  return windows.map(({ window, length }) => predict(window, length).cls);
}
