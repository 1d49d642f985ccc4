import Type from 'typebox';
import { closed, count } from './fields.ts';

/** How a version reaches the devices. */
export const rollout = Type.Object(
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
