import Type, { type Static } from 'typebox';
import { orNull, text, time, version } from './schema.ts';

const Answer = {
  predicted: orNull(
    Type.Union([Type.String(), Type.Number()]),
    "a class, or a value in the target's unit; null where no model said it",
  ),
  score: orNull(
    Type.Number(),
    'margin of the best two classes, in sixteenths of a logit, 0 to 255; null for a value',
  ),
  confidence: orNull(
    Type.Number(),
    'what that margin claims as a probability, 0.5 to 1; null for a value',
  ),
};

/** A window as it is stored. */
export const WindowView = Type.Object({
  device: Type.String(),
  id: text("'SESSION:SEQ', unique for the device"),
  at: time('when it came'),
  ...Answer,
  version: orNull(version, 'that the device ran; null where this gateway never released it'),
  raw: Type.Boolean({ description: 'whether what the sensor gave is stored as well' }),
  label: orNull(
    Type.String(),
    'the label that counts: a class, or a value with its unit; null without one',
  ),
  quarantine: orNull(
    Type.String(),
    'why the check set it aside; null when it did not, or somebody released it',
  ),
});
export type WindowView = Static<typeof WindowView>;

/** What the sensor gave. */
export const Signal = Type.Object({
  axes: Type.Array(Type.String()),
  rateHz: Type.Number(),
  unit: text(
    "of the values: 'g', or 'counts' of int8 where the task says nothing of its sensor's scale",
  ),
  values: Type.Array(Type.Array(Type.Number()), {
    description: 'samples × axes, without what pads a short window',
  }),
});
export type Signal = Static<typeof Signal>;

/** A window with its signal. */
export const SignalView = Type.Object({
  ...WindowView.properties,
  signal: orNull(Signal, 'null where the device sent no raw samples'),
});
export type SignalView = Static<typeof SignalView>;

/** What a model says of a window. */
export const InferView = Type.Object({
  version,
  ...Answer,
  logits: Type.Array(Type.Number(), { description: 'int8, one a class' }),
});
export type InferView = Static<typeof InferView>;
