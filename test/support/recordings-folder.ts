import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Recording } from '../../gateway/recordings.ts';
import type { Task } from '../../gateway/task.ts';
import { twoPeople } from './people.ts';

/** A recording as a line of a file: `label(n), x,y,z,…`. */
function lineOf({ cls, length, window }: Recording, task: Task): string {
  const values = window.slice(0, length * task.sensor.axes.length).join(',');
  return `${task.classes[cls]}(${length}), ${values}`;
}

/**
 * A folder of SYNTHETIC recordings of Ann and Bob, a file a class, as people leave them: with a
 * comment, a prompt, a cut line, an ignored label and another spelling.
 *
 * @param counts windows of Ann and of Bob in each class
 */
export function writeFolder(dir: string, task: Task, counts: [number, number] = [14, 8]): string {
  const people = twoPeople(task, ...counts);
  for (const [name, { learn }] of Object.entries(people)) {
    mkdirSync(join(dir, name), { recursive: true });
    task.classes.forEach((cls, index) => {
      const lines = learn.filter((one) => one.cls === index).map((one) => lineOf(one, task));
      if (name === 'ann' && cls === 'upup') {
        lines.unshift('// Ann, in a train', '>', 'upup(20), 1,2,3', '');
        lines.push(lines.pop()!.replace('upup', 'up_up'), 'snap(1), 1,2,3');
      }
      writeFileSync(join(dir, name, `${cls}.txt`), `${lines.join('\n')}\n`);
    });
  }
  return dir;
}
