import Type from 'typebox';
import { closed, count } from './fields.ts';

/** Recordings to learn from and to replay. */
export const recordings = Type.Object(
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
