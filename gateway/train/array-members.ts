import type { Task } from '../task.ts';
import type { Member } from './committee.ts';

/** Features of a sensor array's window that are learned from alone, or together. */
export interface Group {
  name: string;
  from: number;
  to: number;
}

/**
 * Widths of the kernel about 1/8, where two windows two deviations apart in every feature are still
 * alike by half; a third and three times it.
 */
const SCALES = [0.04, 0.13, 0.4];
/** A margin that bends for hardly any sample. */
const COST = 100;
const SHRINKAGES = [0.01, 0.1];

/**
 * Groups of features of a sensor array's window, as device/core/sensor-array.ts lays them out.
 *
 * @throws TypeError if the task's sensor is no array
 */
export function arrayGroups(task: Task): Group[] {
  const { array } = task.recordings;
  if (array === undefined) throw new TypeError(`task '${task.name}' has no recordings.array`);
  const half = array.sensors * array.kinds.length;
  return [
    { name: 'levels', from: 0, to: half },
    { name: 'ratios', from: half, to: 2 * half },
    { name: 'both', from: 0, to: 2 * half },
  ];
}

/**
 * The ways to learn a sensor array's classes that a committee is chosen from: levels, ratios or both;
 * machines with a kernel, and linear discriminants.
 *
 * @throws TypeError if the task's sensor is no array
 */
export function arrayMembers(task: Task): Member[] {
  return arrayGroups(task).flatMap(({ name, from, to }): Member[] => [
    ...SCALES.map((scale) => ({
      ...{ name: `${name}, kernel ${scale}`, from, to },
      kernel: { scale, cost: COST },
    })),
    ...SHRINKAGES.map((shrinkage) => ({
      ...{ name: `${name}, shrinkage ${shrinkage}`, from, to },
      shrinkage,
    })),
  ]);
}
