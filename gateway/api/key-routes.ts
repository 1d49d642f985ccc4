import Type from 'typebox';
import type { Calls } from '../calls.ts';
import { AddedKeys, KeyView } from '../views/key.ts';
import { deviceId, digits } from './fields.ts';
import { named } from './named.ts';
import { type AddRoute, closed, gives } from './route.ts';

/** As a device may be called: what is written into commands and file names without quotes. */
const device = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  description: 'the id of a device: up to 64 letters, digits and . _ -',
});
const ByDevice = Type.Object({ device: deviceId }, closed);
const Add = Type.Object(
  {
    device,
    board: Type.String({ minLength: 1, maxLength: 64, description: 'a board by name' }),
    suite: Type.Optional(Type.Enum(['ccm', 'mac'])),
    replace: Type.Optional(Type.Boolean()),
    model: Type.Optional(digits),
  },
  closed,
);

/**
 * Puts the calls about keys under `/api`.
 *
 * @param add puts one route
 * @param calls what answers them
 */
export function addKeyRoutes(add: AddRoute, calls: Calls): void {
  const views = gives(Type.Array(KeyView), 'who has keys, of which generation');
  const view = gives(KeyView, 'where the device with its keys stands');
  const summary = 'Which devices have keys of the link';
  add('GET', '/keys', { role: 'admin', summary, returns: views }, () => calls.keys());
  add(
    'POST',
    '/keys',
    {
      ...{ role: 'admin', summary: 'Draw keys for a device and make its slot file', body: Add },
      returns: gives(AddedKeys, "the keys' view, and the slot file in base64"),
    },
    ({ body, who }) => calls.addKeys(body, named(who)),
  );
  add(
    'POST',
    '/keys/:device/rotate',
    { role: 'admin', summary: 'Give a device new keys', params: ByDevice, returns: view },
    ({ params, who }) => calls.rotateKeys(params.device, named(who)),
  );
  add(
    'POST',
    '/keys/:device/remove',
    { role: 'admin', summary: 'Forget the keys of a device', params: ByDevice, returns: view },
    ({ params, who }) => calls.removeKeys(params.device, named(who)),
  );
}
