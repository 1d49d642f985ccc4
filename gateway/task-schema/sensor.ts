import Type from 'typebox';
import { closed } from './fields.ts';

/** The sensor: what one sample of it is. */
export const sensor = Type.Object(
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
