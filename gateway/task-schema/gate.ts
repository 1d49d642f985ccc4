import Type from 'typebox';
import { closed, share } from './fields.ts';

/** What a candidate has to prove. */
export const gate = Type.Object(
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
