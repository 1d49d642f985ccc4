import Type from 'typebox';
import { closed, count, deviation, share } from './fields.ts';

/*
 * The defaults of augmentation and penalty are for wrist gestures. They were chosen by few-shot
 * episodes within the recordings of one wearer (james-v2): 1 to 10 labels a class teach, the other
 * windows of the same wearer judge, with a random turn and gain of the whole between them. A greedy
 * search over a fixed list of options kept what raised the mean. The list itself was written after
 * exploring episodes of both wearers, so only the transfer from james-v2 to another is free of its
 * test windows. Another sensor wants its own.
 */
const augment = Type.Object(
  {
    perClass: count('windows made for each class, from those that are labelled', { default: 400 }),
    tempo: deviation('of the logarithm of the length', 0.15),
    bend: deviation('of two sine bends of time, as a share of the window', 0.15),
    shiftSamples: deviation('of the first and of the last sample', 0.7),
    amplitude: deviation('of the logarithm of the movement about its mean', 0.3),
    rotationDegrees: deviation('of the turn about each axis; 0 for other than three axes', 0),
    gain: deviation('of the logarithm of the whole window', 0.03),
    noise: deviation('of each value, as a share of the mean magnitude', 0.1),
    offset: deviation('of each axis, as a share of the mean magnitude', 0.1),
  },
  { ...closed, default: {}, description: 'how labelled windows are varied; standard deviations' },
);

/** How a model is trained. */
export const training = Type.Object(
  {
    l2: Type.Number({ minimum: 0, default: 0.01, description: 'penalty l2/2·Σw² on weights' }),
    labelSmoothing: Type.Number({ ...share, default: 0, description: 'given to other classes' }),
    linear: Type.Object(
      {
        iterations: count('steps of full-batch Adam', { default: 100 }),
        learningRate: deviation('first step; falls to 0 by a half cosine', 0.08),
      },
      { ...closed, default: {}, description: 'for a part of the net that is one dense layer' },
    ),
    deep: Type.Object(
      {
        epochs: count('passes over the varied windows', { default: 30 }),
        batch: count('windows a step', { default: 32 }),
        learningRate: deviation('of Adam', 0.003),
      },
      { ...closed, default: {}, description: 'for more than one layer' },
    ),
    sigmas: Type.Number({
      exclusiveMinimum: 0,
      default: 6,
      description:
        "deviations of a feature that the first model's int8 input holds; room for other wearers",
    }),
    many: count('labels of a class from which windows are varied half as much', { default: 30 }),
    rehearsal: Type.Number({
      ...share,
      default: 0.5,
      description: 'share of old windows in a shared head; a personal head rehearses nothing',
    }),
    align: Type.Boolean({
      default: false,
      description:
        'rehearsed windows are moved to where the recent ones lie, number by number of the embedding,' +
        ' by mean and deviation: for sensors that drift, and not for wearers who differ',
    }),
    pseudo: Type.Boolean({
      default: false,
      description:
        'after the head a second one is tried that recent windows without a label teach as well, where' +
        ' the first head and the nearest labelled window agree; labels judge it, as every candidate',
    }),
    folds: count('of the cross-validation that judges a candidate', { minimum: 2, default: 5 }),
    minLabels: count('new labels after which a model with an alarm is retrained', { default: 6 }),
    augment,
  },
  { ...closed, default: {} },
);
