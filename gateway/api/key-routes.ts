import Type from 'typebox';
import type { Calls } from '../calls.ts';
import type { AddRoute } from './route.ts';

const closed = { additionalProperties: false } as const;
/** As a device may be called: what is written into commands and file names without quotes. */
const device = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' });
const ByDevice = Type.Object({ device: Type.String({ maxLength: 200 }) }, closed);
const Add = Type.Object(
  {
    device,
    board: Type.String({ minLength: 1, maxLength: 64 }),
    suite: Type.Optional(Type.Enum(['ccm', 'mac'])),
    replace: Type.Optional(Type.Boolean()),
    model: Type.Optional(Type.String({ pattern: '^[0-9a-f]{4,64}$' })),
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
  add('GET', '/keys', {}, () => calls.keys());
  add('POST', '/keys', { body: Add }, ({ body }) => calls.addKeys(body));
  add('POST', '/keys/:device/rotate', { params: ByDevice }, ({ params }) =>
    calls.rotateKeys(params.device),
  );
  add('POST', '/keys/:device/remove', { params: ByDevice }, ({ params }) =>
    calls.removeKeys(params.device),
  );
}
