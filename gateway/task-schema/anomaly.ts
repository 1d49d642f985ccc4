import Type from 'typebox';
import { closed, share } from './fields.ts';

const probability = (description: string, value: number) =>
  Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, default: value, description });

/** What an anomaly is. */
export const anomaly = Type.Object(
  {
    falseAlarm: probability(
      'share of normal windows that are expected to be called anomalies: sets the threshold',
      0.01,
    ),
    maxFalseAlarm: probability('share at which the gate refuses, beyond chance', 0.05),
    minProbes: Type.Number({
      ...share,
      default: 0.5,
      description:
        'share of made-up anomalies (normal windows distorted at random) that a model has to see',
    }),
  },
  { ...closed, description: "kind 'anomaly' only: how seldom a normal window may be called one" },
);
