import Type from 'typebox';
import { closed, share } from './fields.ts';

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

/** Who says what windows were. */
export const labels = Type.Object(
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
