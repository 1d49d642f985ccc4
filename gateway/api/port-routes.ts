import Type from 'typebox';
import type { Calls } from '../calls.ts';
import { PortView } from '../views/port.ts';
import { named } from './named.ts';
import { type AddRoute, closed, gives } from './route.ts';

const Which = Type.Object(
  {
    kind: Type.Enum(['serial', 'ble']),
    name: Type.String({
      ...{ pattern: '^[^\\s\\u0000-\\u001f][^\\u0000-\\u001f]*$', maxLength: 300 },
      description: 'path of a serial port of the box; name or address of a board by Bluetooth',
    }),
  },
  closed,
);

/**
 * Puts the calls about ports under `/api`.
 *
 * @param add puts one route
 * @param calls what answers them
 */
export function addPortRoutes(add: AddRoute, calls: Calls): void {
  const ports = gives(Type.Array(PortView), 'ports that are heard, or waited for');
  add('GET', '/ports', { role: 'viewer', summary: 'Every port', returns: ports }, () =>
    calls.ports(),
  );
  add(
    'POST',
    '/ports',
    {
      ...{ role: 'admin', summary: 'Hear a further port, now and after the next start' },
      ...{ body: Which, returns: gives(PortView, 'the port') },
    },
    ({ body, who }) => calls.addPort(body, named(who)),
  );
  add(
    'POST',
    '/ports/remove',
    {
      ...{ role: 'admin', summary: 'Hear a port no more, and close it' },
      ...{ body: Which, returns: gives(PortView, 'the port that was closed') },
    },
    ({ body, who }) => calls.removePort(body, named(who)),
  );
}
