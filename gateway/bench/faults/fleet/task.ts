import { loadTask, type Task } from '../../../task.ts';

/** The task of these benches: what is sent of a window varies, so that content of every kind is compared. */
export function benchTask(): Task {
  return { ...loadTask('gesture'), send: { confidentOneIn: 4, uncertainBelow: 64, rawOneIn: 5 } };
}
