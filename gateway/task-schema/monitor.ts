import Type from 'typebox';
import { closed, count } from './fields.ts';

/** When the monitor speaks. */
export const monitor = Type.Object(
  {
    referenceWindows: count('windows after a change of model that say what is normal', {
      default: 30,
    }),
    recentWindows: count(
      'newest windows: those that may not join the reference yet, and labelled ones that are tested',
      { default: 20 },
    ),
    falseAlarm: Type.Number({
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.0001,
      description: 'false alarms for each window of a device, at most, of all watchers together',
    }),
    minLabels: count('labelled windows before accuracy may raise an alarm', { default: 5 }),
  },
  { ...closed, default: {} },
);
