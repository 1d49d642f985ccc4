import Type from 'typebox';
import type { Calls } from '../calls.ts';
import { SignedView, SigningKeyView } from '../views/key.ts';
import { digits, reason } from './fields.ts';
import { named } from './named.ts';
import { type AddRoute, closed, gives } from './route.ts';

const ByVersion = Type.Object({ version: digits }, closed);
const keyId = Type.String({
  pattern: '^[0-9a-f]{16}$',
  description: 'the 16 digits of a signing key, see: whetstone signing',
});
const Revoke = Type.Object({ id: keyId, reason }, closed);
const Sign = Type.Object({ reason }, closed);

/**
 * Puts the calls about the keys that sign versions under `/api`.
 *
 * @param add puts one route
 * @param calls what answers them
 */
export function addSigningRoutes(add: AddRoute, calls: Calls): void {
  const returns = gives(Type.Array(SigningKeyView), 'all keys, oldest first; the last one signs');
  const summary = 'The keys that the gateway signs or signed with';
  add('GET', '/signing', { role: 'admin', summary, returns }, () => calls.signingKeys());
  add(
    'POST',
    '/signing/rotate',
    { role: 'admin', summary: 'Let a new signing key take over', returns },
    ({ who }) => calls.rotateSigning(named(who)),
  );
  add(
    'POST',
    '/signing/revoke',
    { role: 'admin', summary: 'Trust a signing key no more', body: Revoke, returns },
    ({ body, who }) => calls.revokeSigning(body, named(who)),
  );
  add(
    'POST',
    '/models/:version/sign',
    {
      ...{ role: 'admin', summary: 'Sign a version again, with the newest key' },
      ...{ params: ByVersion, body: Sign },
      returns: gives(SignedView, 'the version, and the key that signed'),
    },
    ({ params, body, who }) =>
      calls.signVersion({ version: params.version, reason: body.reason }, named(who)),
  );
}
