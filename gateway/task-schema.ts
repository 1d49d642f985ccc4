import Type, { type Static } from 'typebox';

/**
 * The shape of a task file: what is learned, from which sensor, and under which policies.
 *
 * Every field is described here and nowhere else. A field with a `default` may be left out of the
 * file; a field that is not here is refused.
 */

const closed = { additionalProperties: false } as const;
const share = { minimum: 0, maximum: 1 } as const;

/** One layer of the network, in the order in which it runs. */
export type LayerSpec =
  | { type: 'dense'; units: number; activation: 'relu' | 'none'; prunedFrom?: number }
  | {
      type: 'conv1d';
      filters: number;
      kernel: number;
      stride: number;
      padding: 'same' | 'valid';
      activation: 'relu' | 'none';
      prunedFrom?: number;
    }
  | { type: 'maxpool1d' | 'avgpool1d'; pool: number; stride: number };

const count = (description: string, options: object = {}) =>
  Type.Integer({ minimum: 1, description, ...options });
const activation = Type.Enum(['relu', 'none'], { description: 'what follows the sum' });
const prunedFrom = Type.Optional(
  count('units or filters it is trained with, before the least important ones are removed'),
);
const pool = {
  pool: count('positions that become one'),
  stride: count('positions from one output to the next'),
};
const layer = Type.Unsafe<LayerSpec>({
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    Type.Object(
      {
        type: Type.Literal('dense'),
        units: count('outputs; in the last layer one for each class'),
        activation,
        prunedFrom,
      },
      closed,
    ),
    Type.Object(
      {
        type: Type.Literal('conv1d'),
        filters: count('output channels'),
        kernel: count('samples under the filter', { maximum: 255 }),
        stride: count('samples from one output to the next', { maximum: 255 }),
        padding: Type.Enum(['same', 'valid'], { description: 'as TensorFlow names them' }),
        activation,
        prunedFrom,
      },
      closed,
    ),
    Type.Object({ type: Type.Literal('maxpool1d'), ...pool }, closed),
    Type.Object({ type: Type.Literal('avgpool1d'), ...pool }, closed),
  ],
});

const sensor = Type.Object(
  {
    name: Type.String({ description: "what measures, 'accelerometer'" }),
    axes: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      uniqueItems: true,
      description: 'names of the values of one sample, in order',
    }),
    rateHz: Type.Number({ exclusiveMinimum: 0, description: 'samples per second' }),
    countsPerG: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: 'accelerometers only: int8 counts for one g, for the synthetic motion',
      }),
    ),
    min: Type.Integer({ minimum: -128, maximum: 127, default: -128, description: 'lowest value' }),
    max: Type.Integer({ minimum: -128, maximum: 127, default: 127, description: 'highest value' }),
  },
  closed,
);

const window = Type.Object(
  {
    mode: Type.Enum(['gesture', 'sliding'], {
      description: "'gesture' opens on movement and closes on rest; 'sliding' cuts at a fixed step",
    }),
    samples: count('length of a window; a shorter gesture is padded with zeros', { maximum: 4096 }),
    minSamples: count('gesture mode: shorter ones, without the rest at their end, are dropped', {
      default: 10,
    }),
    threshold: count('gesture mode: opens above this sum over the axes of |change|, in counts', {
      default: 10,
    }),
    quiet: count('gesture mode: samples of rest that close the window', { default: 4 }),
    preroll: Type.Integer({
      minimum: 1,
      default: 2,
      description: 'gesture mode: samples kept from before the movement',
    }),
    stride: Type.Optional(count('sliding mode: samples from one window to the next')),
  },
  closed,
);

const target = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9_-]+$', description: "what is measured, 'speed'" }),
    unit: Type.String({ minLength: 1, maxLength: 16, description: "of its values, 'rpm'" }),
    min: Type.Number({ description: 'lowest value, the first of 256 steps' }),
    max: Type.Number({
      description: 'highest value, the last step; what lies beyond is told as it',
    }),
    tolerance: Type.Number({
      minimum: 0,
      description:
        'error up to which an answer is right; everything that counts right ones uses it',
    }),
  },
  { ...closed, description: "kind 'regression' only: the number that the model gives" },
);

const probability = (description: string, value: number) =>
  Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, default: value, description });

const anomaly = Type.Object(
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

const recordings = Type.Object(
  {
    format: Type.Enum(['gesture-lines', 'libsvm'], {
      default: 'gesture-lines',
      description:
        "how recordings are written: 'label(n), x,y,z,…', one gesture a line; 'label index:value …'," +
        ' one measurement of a sensor array a line',
    }),
    array: Type.Optional(
      Type.Object(
        {
          sensors: count('sensors in the array'),
          kinds: Type.Array(
            Type.Object(
              {
                name: Type.String({ minLength: 1, description: 'what each sensor gives' }),
                floor: Type.Number({
                  exclusiveMinimum: 0,
                  description: 'size of a response that is noise, in its own unit',
                }),
                full: Type.Number({
                  description:
                    'largest response told apart; below 0 where the figure falls with the response',
                }),
              },
              closed,
            ),
            {
              minItems: 1,
              description: 'the figures of one sensor, in the order of the recording',
            },
          ),
        },
        {
          ...closed,
          description:
            "format 'libsvm': how a measurement becomes the window of the array's driver; the axes " +
            'are the levels of all values, then their ratios to the mean over the array',
        },
      ),
    ),
    spellings: Type.Record(Type.String(), Type.String(), {
      default: {},
      description: 'other spellings of a label → the label; upper and lower case are equal',
    }),
    ignore: Type.Array(Type.String(), {
      default: [],
      description: 'labels that are in the recordings and no part of the task',
    }),
  },
  { ...closed, default: {} },
);

const send = Type.Object(
  {
    confidentOneIn: count('one in N confident windows is sent, as embedding and score', {
      default: 4,
    }),
    uncertainBelow: Type.Integer({
      minimum: 0,
      maximum: 255,
      default: 48,
      description: 'windows with a lower score (logit margin in sixteenths) are all sent',
    }),
    rawOneIn: Type.Integer({
      minimum: 0,
      default: 0,
      description: 'one in N sent windows goes with its raw samples; 0: only labelled or asked for',
    }),
  },
  { ...closed, default: {} },
);

const monitor = Type.Object(
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

const gate = Type.Object(
  {
    minAccuracy: Type.Number({
      ...share,
      default: 0.9,
      description: 'a first model needs this much; below it the update ladder goes on climbing',
    }),
    alpha: Type.Number({
      ...share,
      default: 0.05,
      description: 'significance at which the paired test says that a candidate is better',
    }),
    alphaLoss: Type.Number({
      ...share,
      default: 0.45,
      description:
        'significance at which a model counts as worse on one of its devices: mere suspicion is enough',
    }),
    minAgreement: Type.Number({
      ...share,
      default: 0.6,
      description:
        'a candidate must certainly say more than this share of the labels that it was not trained on, or they contradict one another',
    }),
    maxWrongLabels: Type.Number({
      ...share,
      default: 0.25,
      description:
        'share of wrong labels, by earlier ones that look alike, from which on an origin is distrusted',
    }),
    maxClassLoss: Type.Number({
      ...share,
      default: 0.25,
      description: 'recall that one class may lose against the champion, beyond chance',
    }),
    maxRegimeLoss: Type.Number({
      ...share,
      default: 0.03,
      description:
        'accuracy that a model may lose on the windows of an earlier regime, beyond chance',
    }),
    maxPresentLoss: Type.Number({
      ...share,
      default: 0.01,
      description:
        'accuracy that a model may lose on a device whose windows look as they did, beyond alphaLoss',
    }),
  },
  { ...closed, default: {} },
);

const rollout = Type.Object(
  {
    canaryShare: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.25,
      description: 'share of the devices that get a version first',
    }),
    soakWindows: count('windows of the canaries before the rest follows', { default: 20 }),
    trialWindows: count('windows without a confirmation after which a device goes back by itself', {
      default: 60,
    }),
    approval: Type.Optional(
      Type.Enum(['none', 'canary'], {
        description:
          "'canary': once the canaries have passed, a person is asked before the rest gets a version; 'none' without it, and the gateway's configuration goes before it",
      }),
    ),
  },
  { ...closed, default: {} },
);

const deviation = (description: string, value: number) =>
  Type.Number({ minimum: 0, default: value, description });

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

const training = Type.Object(
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

const schedule = Type.Object(
  {
    newLabels: Type.Integer({
      minimum: 0,
      default: 0,
      description: 'labels since its last training that retrain a scope without an alarm; 0: never',
    }),
    time: Type.String({
      pattern: '^(|every [1-9]\\d{0,4}[mhd]|at ([01]\\d|2[0-3]):[0-5]\\d)$',
      default: '',
      description:
        "'every 24h' (or m, d), or 'at 03:00' local time: retrains what has new labels; '': never",
    }),
    scope: Type.Enum(['device', 'cohort', 'fleet'], {
      default: 'device',
      description: 'whom a training serves that nobody asked for; a device in no cohort: itself',
    }),
  },
  { ...closed, default: {}, description: 'when the gateway retrains by itself, alarms apart' },
);

const trust = (description: string, value: number) =>
  Type.Number({ ...share, default: value, description });

const teacher = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9][a-z0-9._-]*$',
      description: "its labels have the source 'teacher:NAME'",
    }),
    file: Type.String({
      minLength: 1,
      description: 'a .tflite or .onnx file, seen from the folder that the gateway runs in',
    }),
    minConfidence: Type.Number({
      ...share,
      default: 0.9,
      description:
        'a window gets a label only where the teacher is at least this sure of one class',
    }),
    scale: Type.Number({
      exclusiveMinimum: 0,
      default: 1,
      description:
        'what a count is multiplied by before the teacher sees it: 1 for counts, 1/32 for g where a g is 32 counts',
    }),
    layout: Type.Enum(['samples', 'axes'], {
      default: 'samples',
      description: "what comes first in its input: 'samples' is x y z x y z …, 'axes' x x … y y …",
    }),
    classes: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description:
          "what its outputs stand for, in order, where they are not the task's classes; an output that is no class of the task gives no label",
      }),
    ),
  },
  closed,
);

const labels = Type.Object(
  {
    trust: Type.Object(
      {
        person: trust('somebody at the gateway', 1),
        device: trust('a button on the device; a finger slips', 0.9),
        delayed: trust('a truth that comes later, from a file or a program', 0.95),
        teacher: trust('a model on the gateway; never outvotes the three above', 0.7),
      },
      {
        additionalProperties: Type.Number({ ...share }),
        default: {},
        description:
          'weight of a label where sources contradict one another, by source; one that is named goes before its kind: {"person:ann": 0.8}',
      },
    ),
    askedAtOnce: Type.Integer({
      minimum: 0,
      default: 0,
      description:
        'labels that the gateway asks for by itself while a device has an alarm, at a time; 0: only when told to',
    }),
    askedToSettle: Type.Integer({
      minimum: 0,
      default: 72,
      description:
        'labels of one regime that the gateway asks for by itself, at most, where more of them may turn what its gate refused; 0: never',
    }),
    teachers: Type.Array(teacher, {
      default: [],
      description: 'models that label raw windows as they come',
    }),
  },
  {
    ...closed,
    default: {},
    description: 'who says what a window was, and how far that is trusted',
  },
);

/** The schema of `hardware/tasks/*.json`, draft 2020-12, closed, with its defaults. */
export const TaskSchema = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$', description: 'as the file is called' }),
    kind: Type.Enum(['classification', 'regression', 'anomaly'], {
      description:
        "what the model answers: one of the classes; a number, the target; or 'normal' or 'anomaly', learned from normal windows alone",
    }),
    description: Type.String({ default: '', description: 'one sentence for people' }),
    sensor,
    window,
    features: Type.Enum(['raw', 'statistics', 'motion'], {
      description: 'what the device computes from a window and the first layer sees',
    }),
    classes: Type.Array(Type.String({ pattern: '^[a-z0-9_-]+$' }), {
      minItems: 1,
      maxItems: 64,
      uniqueItems: true,
      description:
        'names of the classes; the order is the order of the logits. Left out by the other kinds',
    }),
    target: Type.Optional(target),
    anomaly: Type.Optional(anomaly),
    architecture: Type.Object(
      {
        layers: Type.Array(layer, { minItems: 1, description: 'the network, first layer first' }),
        cut: Type.Integer({
          minimum: 0,
          description: 'layers before the head: frozen when only the head is retrained',
        }),
        deeper: Type.Optional(
          Type.Array(layer, {
            minItems: 1,
            description:
              'the net to grow to when the whole net is retrained; its head is all of it',
          }),
        ),
      },
      closed,
    ),
    recordings,
    send,
    monitor,
    gate,
    rollout,
    training,
    schedule,
    labels,
  },
  closed,
);

/** A task as the gateway uses it: the file with its defaults filled in. */
export type Task = Static<typeof TaskSchema>;
