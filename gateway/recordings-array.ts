import { arrayWindow } from '../device/core/sensor-array.ts';
import type { Task } from './task.ts';

/**
 * Reads one line of the format 'libsvm': `class index:value …`, a measurement of a sensor array, and
 * makes of it the window that the array's driver would have made.
 *
 * Every value has to be there: a sensor that is missing is no sensor that measures 0.
 *
 * @param line without its line break; what follows a ';' in the class (a concentration) is left out
 * @param task gives, in `recordings.array`, the sensors and what each of them gives
 * @returns the label as it is written and the window, or the reason why there is none
 * @source Chang and Lin, LIBSVM, README: 'label index:value …', indices from 1, rising
 * @example parseArrayLine('# none', loadTask('gas')) // "'#' is no class"
 */
export function parseArrayLine(
  line: string,
  task: Task,
): { label: string; length: number; window: Int8Array } | string {
  const parsed = parseArrayValues(line, task);
  if (typeof parsed === 'string') return parsed;
  const { kinds } = task.recordings.array!;
  return { label: parsed.label, length: 1, window: arrayWindow(parsed.values, kinds) };
}

/**
 * Reads the figures of one line as they were measured, as {@link parseArrayLine} does before it makes
 * a window of them.
 *
 * @param line without its line break
 * @param task gives, in `recordings.array`, the sensors and what each of them gives
 * @returns the label and [sensors][kinds], or the reason why there is none
 * @throws TypeError if the task has no array
 */
export function parseArrayValues(
  line: string,
  task: Task,
): { label: string; values: Float64Array } | string {
  const { array } = task.recordings;
  if (array === undefined) throw new TypeError("format 'libsvm' needs recordings.array");
  const [name, ...fields] = line.trim().split(/\s+/);
  const label = name.split(';')[0];
  if (!/^[A-Za-z0-9_-]+$/.test(label)) return `'${name}' is no class`;
  const count = array.sensors * array.kinds.length;
  if (fields.length !== count) {
    return `${fields.length} values, ${array.sensors} sensors need ${count}`;
  }
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const [index, value, ...more] = fields[i].split(':');
    const number = value === undefined || value === '' ? Number.NaN : Number(value);
    if (index !== String(i + 1) || more.length > 0 || !Number.isFinite(number)) {
      return `'${fields[i]}' is not ${i + 1}:VALUE`;
    }
    values[i] = number;
  }
  return { label, values };
}
