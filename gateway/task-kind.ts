import { featureCount } from '../device/core/features.ts';
import type { Task } from './task-schema.ts';

type Refuse = (path: string, problem: string) => never;

/** Classes of a task of kind 'anomaly'; device and wire know them by their index. */
const VERDICTS = ['normal', 'anomaly'];
/** Layers of a task of kind 'anomaly', see gateway/train/one-class.ts. */
const ONE_CLASS_LAYERS = 2;

/**
 * Variation that changes neither a measured number nor what is normal: noise alone. The defaults of
 * the schema are for wrist gestures, where a stronger movement is the same gesture.
 */
const STEADY = {
  ...{ perClass: 300, tempo: 0, bend: 0, shiftSamples: 0, amplitude: 0, gain: 0, offset: 0 },
  noise: 0.005,
};

/**
 * Fills in what a task's kind says of it, before the schema's defaults: the names of its answers,
 * and defaults that another kind would not want.
 *
 * @param value parsed JSON; changed. What is no task at all is left to the schema
 */
export function fillKind(value: unknown, refuse: Refuse): void {
  if (typeof value !== 'object' || value === null) return;
  const task = value as Record<string, unknown>;
  if (task.kind !== 'regression' && task.kind !== 'anomaly') return;
  const target = task.target as Partial<NonNullable<Task['target']>> | undefined;
  const names = task.kind === 'anomaly' ? VERDICTS : [target?.name];
  if (task.kind === 'regression' && target === undefined) {
    refuse('target', "is missing: kind 'regression' needs it");
  }
  if (task.classes !== undefined && JSON.stringify(task.classes) !== JSON.stringify(names)) {
    refuse('classes', `is not for kind '${task.kind}': leave it out`);
  }
  task.classes = names;
  if (task.kind === 'anomaly') task.anomaly ??= {};
  const training = section(task, 'training');
  const augment = section(training, 'augment');
  for (const [name, of] of Object.entries(STEADY)) augment[name] ??= of;
  // a score that is a value says nothing of doubt
  if (task.kind === 'regression') section(task, 'send').uncertainBelow ??= 0;
}

function section(of: Record<string, unknown>, name: string): Record<string, unknown> {
  of[name] ??= {};
  const found = of[name];
  // a wrong type is the schema's to name
  return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {};
}

/** What no schema can say of a kind. */
export function checkKind(task: Task, refuse: Refuse): void {
  const { kind, target, anomaly, classes, architecture } = task;
  if (kind !== 'regression' && target !== undefined) {
    refuse('target', `is not for kind '${kind}'`);
  }
  if (kind !== 'anomaly' && anomaly !== undefined) refuse('anomaly', `is not for kind '${kind}'`);
  if (kind === 'classification' && classes.length < 2) {
    refuse('classes', 'must have at least 2 names');
  }
  if (target !== undefined && target.min >= target.max) {
    refuse('target.min', 'must be less than target.max');
  }
  if (anomaly !== undefined && anomaly.falseAlarm > anomaly.maxFalseAlarm) {
    refuse('anomaly.falseAlarm', 'must be at most anomaly.maxFalseAlarm');
  }
  if (kind !== 'anomaly') return;
  if (task.features === 'raw') refuse('features', "'raw' is not for kind 'anomaly'");
  const { layers, cut, deeper } = architecture;
  if (deeper !== undefined) refuse('architecture.deeper', "is not for kind 'anomaly'");
  const units = 2 * featureCount(task.features === 'motion' ? 2 : 1, task.sensor.axes.length);
  const [first] = layers;
  const fits = first?.type === 'dense' && first.units === units && first.activation === 'relu';
  if (layers.length !== ONE_CLASS_LAYERS || !fits || cut !== 1) {
    const wanted = `a dense layer with ${units} units (two a feature) and activation 'relu', then one with 2`;
    refuse('architecture', `must be, for kind 'anomaly', ${wanted}; cut 1`);
  }
}
