import Type from 'typebox';
import { closed, count } from './fields.ts';

/** The stretch of samples that one inference sees. */
export const window = Type.Object(
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
