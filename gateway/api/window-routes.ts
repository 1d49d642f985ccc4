import Type from 'typebox';
import type { Calls } from '../calls.ts';
import { InferView, SignalView, WindowView } from '../views/window.ts';
import { deviceId, digits, scope } from './fields.ts';
import { type AddRoute, closed, gives } from './route.ts';

const window = Type.String({
  pattern: '^\\d{1,16}:\\d{1,16}$',
  description: 'a window, SESSION:SEQ',
});
const Query = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    before: Type.Optional(window),
  },
  closed,
);
const ByDevice = Type.Object({ id: deviceId }, closed);
const ByWindow = Type.Object({ id: deviceId, window }, closed);
/** Far more numbers than a device could hold. */
const numbers = Type.Array(Type.Number(), { maxItems: 65_536 });
const Infer = Type.Object(
  {
    device: Type.Optional(deviceId),
    scope: Type.Optional(scope),
    version: Type.Optional(digits),
    window: Type.Optional(
      Type.Array(numbers, {
        maxItems: 4096,
        description: 'samples × axes, in the unit of the sensor',
      }),
    ),
    features: Type.Optional(numbers),
    embedding: Type.Optional(numbers),
  },
  { ...closed, description: 'one of window, features and embedding' },
);
/** A window of the longest task, written out in decimals. */
const INFER_BYTES = 2 ** 21;

/**
 * Puts the calls about windows under `/api`.
 *
 * @param add puts one route
 * @param calls what answers them
 */
export function addWindowRoutes(add: AddRoute, calls: Calls): void {
  add(
    'GET',
    '/devices/:id/windows',
    {
      ...{ role: 'viewer', summary: 'Stored windows of a device, newest first' },
      ...{ params: ByDevice, query: Query },
      returns: gives(Type.Array(WindowView), 'windows; `before` the last of them are the next'),
    },
    ({ params, query }) => calls.windows(params.id, query),
  );
  add(
    'GET',
    '/devices/:id/windows/:window',
    {
      ...{ role: 'viewer', summary: 'One window with its raw signal', params: ByWindow },
      returns: gives(SignalView, 'the window; `signal` is null where no raw samples came'),
    },
    ({ params }) => calls.window(params.id, params.window),
  );
  add(
    'POST',
    '/infer',
    {
      ...{ role: 'viewer', summary: "What a model says of a window, in the devices' arithmetic" },
      ...{ body: Infer, bodyLimit: INFER_BYTES },
      returns: gives(InferView, 'what a device that runs the version says of it'),
    },
    ({ body }) => calls.infer(body),
  );
}
