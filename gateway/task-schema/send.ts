import Type from 'typebox';
import { closed, count } from './fields.ts';

/** What devices send. */
export const send = Type.Object(
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
