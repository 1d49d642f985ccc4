import { clamp } from '../device/core/arithmetic.ts';
import { GatewayError } from './errors.ts';
import type { Task } from './task.ts';
import type { Signal } from './views/window.ts';

/** A window as the device has it. */
export interface RawWindow {
  /** int8 [samples][axes], zero after its real samples */
  values: Int8Array;
  /** samples that are no padding */
  length: number;
}

/** Axes that an error names, at most. */
const NAMED = 6;

const namesOf = (axes: readonly string[]): string =>
  axes.length > NAMED ? '' : ` (${axes.join(', ')})`;

/** Int8 counts for one unit of the sensor, and the unit's name. */
export function scaleOf({ sensor }: Pick<Task, 'sensor'>): { counts: number; unit: string } {
  const { countsPerG } = sensor;
  return countsPerG === undefined
    ? { counts: 1, unit: 'counts' }
    : { counts: countsPerG, unit: 'g' };
}

/**
 * A stored window in the sensor's unit.
 *
 * @param raw int8 counts, length × axes
 * @param length samples that are no padding
 * @param task whose sensor it is
 * @example toSignal(Int8Array.of(0, -16, 32), 1, loadTask('gesture')).values // [[0, -0.5, 1]]
 */
export function toSignal(raw: Int8Array, length: number, task: Pick<Task, 'sensor'>): Signal {
  const { axes, rateHz } = task.sensor;
  const { counts, unit } = scaleOf(task);
  const values = Array.from({ length: Math.min(length, raw.length / axes.length) }, (_, i) =>
    Array.from(raw.subarray(i * axes.length, (i + 1) * axes.length), (count) => count / counts),
  );
  return { axes, rateHz, unit, values };
}

/**
 * The window that a device would have made of a signal: rounded to int8 counts, clamped to what int8
 * holds, padded with zeros. The inverse of {@link toSignal}.
 *
 * @param values samples × axes, in the sensor's unit
 * @param task whose sensor it is
 * @throws GatewayError 'bad-window' that says which shape is expected
 * @example fromSignal([[0, -0.5, 1]], loadTask('gesture')).values.slice(0, 4) // Int8Array.of(0, -16, 32, 0)
 */
export function fromSignal(
  values: readonly (readonly number[])[],
  task: Pick<Task, 'name' | 'sensor' | 'window'>,
): RawWindow {
  const { axes } = task.sensor;
  const { samples, mode } = task.window;
  const { counts, unit } = scaleOf(task);
  const odd = values.findIndex((sample) => sample.length !== axes.length);
  const many = mode === 'gesture' ? `1 to ${samples}` : `${samples}`;
  const isFit = mode === 'gesture' ? values.length <= samples : values.length === samples;
  if (values.length === 0 || !isFit || odd >= 0) {
    const is =
      odd >= 0
        ? `sample ${odd} of the window has ${values[odd]!.length} values`
        : `the window has ${values.length} samples`;
    throw new GatewayError('bad-window', is, {
      hint: `task '${task.name}' takes ${many} samples × ${axes.length} axes${namesOf(axes)} in ${unit}`,
    });
  }
  const raw = new Int8Array(samples * axes.length);
  values.flat().forEach((value, i) => {
    raw[i] = clamp(Math.round(value * counts));
  });
  return { values: raw, length: values.length };
}
