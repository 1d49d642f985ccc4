import { pushSample, startWindows } from '../../device/core/window.ts';
import { windowOptions } from '../../device/window-options.ts';
import type { Recording } from '../recordings.ts';
import type { Task } from '../task.ts';
import { motion } from './motion.ts';
import type { Wearer } from './wearer.ts';

/**
 * SYNTHETIC recordings of one wearer, cut into windows as the device cuts them.
 *
 * @param task with gestures that the generator knows, see motion()
 * @param by who wears the watch
 * @param perClass how many of each class
 * @param seed same seed, same recordings
 * @returns as readRecordings() gives them, without file and line
 * @throws RangeError if the task is not for synthetic motion, or its windows are too short or too long
 *   for a gesture
 */
export function syntheticRecordings(
  task: Task,
  by: Wearer,
  perClass: number,
  seed: number,
): Recording[] {
  const stream = motion(task, by, seed);
  const windows = startWindows(windowOptions(task));
  const left = task.classes.map(() => perClass);
  const out: Recording[] = [];
  const patience = 1000 * (1 + perClass) * left.length;
  while (left.some((n) => n > 0)) {
    if (stream.index > patience) {
      const names = task.classes.filter((_, cls) => left[cls] > 0).join(', ');
      throw new RangeError(`the windows of task '${task.name}' hold no synthetic ${names}`);
    }
    const done = pushSample(windows, stream.next().values);
    if (done === undefined) continue;
    const end = stream.index - windows.options.quiet;
    const cls = stream.truth(end - done.n, end);
    if (cls === null || left[cls] === 0) continue;
    left[cls]--;
    out.push({ cls, length: done.n, window: done.values, file: '', line: 0 });
  }
  return out;
}
