import Type from 'typebox';
import { closed } from './fields.ts';

/** When the gateway retrains by itself. */
export const schedule = Type.Object(
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
