import Type from 'typebox';
import { closed } from './fields.ts';

/** What a regression gives. */
export const target = Type.Object(
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
