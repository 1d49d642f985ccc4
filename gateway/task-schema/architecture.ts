import Type from 'typebox';
import { closed, count } from './fields.ts';

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

/** The network, and where its head begins. */
export const architecture = Type.Object(
  {
    layers: Type.Array(layer, { minItems: 1, description: 'the network, first layer first' }),
    cut: Type.Integer({
      minimum: 0,
      description: 'layers before the head: frozen when only the head is retrained',
    }),
    deeper: Type.Optional(
      Type.Array(layer, {
        minItems: 1,
        description: 'the net to grow to when the whole net is retrained; its head is all of it',
      }),
    ),
  },
  closed,
);
