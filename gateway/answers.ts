import { GatewayError } from './errors.ts';
import type { Task } from './task-schema.ts';

/**
 * What a task's model answers: how an answer travels, is stored, said and judged. Everything that
 * depends on a task's kind, beside training and proof, is here.
 *
 * An answer is a number wherever it is stored: the index of a class, or the step of a target. A model
 * with one output has no second logit, so a device's margin of the best logit is that output itself,
 * in 256 steps: the score that a regression sends *is* its answer, and no device needs code for it.
 */
export interface Answers {
  /** answers that there are: whole numbers from 0 */
  readonly count: number;
  /**
   * The answer in what a device says of a window.
   *
   * @param said class and score as they travel
   */
  of(said: { cls: number; score: number }): number;
  /**
   * Reads what a person or a program says.
   *
   * @throws GatewayError 'not-allowed' that says what it should have been
   */
  parse(text: string): number;
  /** An answer for people; null for what is none. */
  say(answer: number): string | null;
  /** Whether an answer is as good as right. */
  isRight(said: number, truth: number): boolean;
  /** Groups of answers that a balanced choice takes turns with: classes, or parts of a range. */
  group(answer: number): number;
  readonly groups: readonly string[];
  /**
   * How well a window fits what the model knows, without a label, 0 to 255: what the monitor watches
   * for a fall. The margin of a class; for an anomaly also its side; for a target how far its value
   * is from the nearer end of the range, where the values of a broken sensor lie.
   */
  watched(said: { cls: number; score: number }): number;
  /**
   * What a window says of a model on trial, for its mean to be compared: {@link watched} where that
   * falls only for a worse model; 0 for a value, which says nothing of the model that gave it.
   */
  worth(said: { cls: number; score: number }): number;
}

/** Steps of a target: one for each value of an int8 output. */
export const STEPS = 256;
/** Parts of a target's range that are judged by themselves. */
const PARTS = 4;
/** Classes of a task of kind 'anomaly', in their order. */
export const NORMAL = 0;
export const ANOMALY = 1;

/** @param task whose answers */
export function answersOf(task: Pick<Task, 'name' | 'kind' | 'classes' | 'target'>): Answers {
  return task.kind === 'regression' ? targetAnswers(task) : classAnswers(task);
}

function classAnswers({ name, kind, classes }: Pick<Task, 'name' | 'kind' | 'classes'>): Answers {
  const watched = ({ cls, score }: { cls: number; score: number }): number =>
    kind === 'anomaly' ? signed(cls, score) : score;
  return {
    count: classes.length,
    of: ({ cls }) => cls,
    parse(text) {
      const index = classes.indexOf(text);
      if (index >= 0) return index;
      throw new GatewayError('not-allowed', `'${text}' is no class of task '${name}'`, {
        hint: `there are: ${classes.join(', ')}`,
      });
    },
    say: (answer) => classes[answer] ?? null,
    isRight: (said, truth) => said === truth,
    group: (answer) => answer,
    groups: classes,
    watched,
    worth: watched,
  };
}

/** A margin for 'normal' counts upwards from the middle, one for 'anomaly' downwards. */
function signed(cls: number, score: number): number {
  const half = Math.floor(score / 2);
  return cls === NORMAL ? STEPS / 2 + half : STEPS / 2 - 1 - half;
}

function targetAnswers({ name, target }: Pick<Task, 'name' | 'target'>): Answers {
  const { min, max, unit, tolerance } = target!;
  const range = `${min} to ${max} ${unit}`;
  const edge = (part: number): string => roundTo(min + ((max - min) * part) / PARTS, target!);
  return {
    count: STEPS,
    of: ({ score }) => score,
    parse(text) {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (value >= min && value <= max) return toStep(value, target!);
      const problem = Number.isNaN(value) ? 'is no number' : 'is outside the range of the target';
      throw new GatewayError('not-allowed', `'${text}' ${problem} of task '${name}'`, {
        hint: `it takes ${range}`,
      });
    },
    say: (answer) =>
      isStep(answer) ? `${roundTo(toValue(answer, target!), target!)} ${unit}` : null,
    isRight: (said, truth) =>
      isStep(said) &&
      // half a step is what writing a value down as a step may have cost
      Math.abs(said - truth) * stepSize(target!) <= tolerance + stepSize(target!) / 2,
    group: (answer) => Math.min(PARTS - 1, Math.floor((answer * PARTS) / STEPS)),
    groups: Array.from({ length: PARTS }, (_, i) => `${edge(i)} to ${edge(i + 1)} ${unit}`),
    watched: ({ score }) => 2 * Math.min(score, STEPS - 1 - score),
    worth: () => 0,
  };
}

const isStep = (n: number): boolean => Number.isInteger(n) && n >= 0 && n < STEPS;

type Range = Pick<NonNullable<Task['target']>, 'min' | 'max'>;

/**
 * Units of one step of a target.
 *
 * @example stepSize({ min: 0, max: 51 }) // 0.2
 */
export function stepSize({ min, max }: Range): number {
  return (max - min) / (STEPS - 1);
}

/**
 * The nearest step of a value; what lies outside the range becomes its end.
 *
 * @example toStep(10.25, { min: 0, max: 51 }) // 51
 */
export function toStep(value: number, range: Range): number {
  const step = Math.round((value - range.min) / stepSize(range));
  return Math.max(0, Math.min(STEPS - 1, step));
}

/**
 * The value of a step, in units.
 *
 * @example toValue(51, { min: 0, max: 51 }) // 10.2
 */
export function toValue(step: number, range: Range): number {
  return range.min + (step * (range.max - range.min)) / (STEPS - 1);
}

/** A value with as many digits as a step can tell apart. */
function roundTo(value: number, range: Range): string {
  return value.toFixed(Math.max(0, Math.ceil(-Math.log10(stepSize(range)))));
}
