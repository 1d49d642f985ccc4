import Type from 'typebox';
import { type Calls, ROLES } from '../calls.ts';
import { AddedToken, Caller, TokenView } from '../views/token.ts';
import { type AddRoute, closed, gives } from './route.ts';

const id = Type.String({
  pattern: '^[0-9a-f]{12}$',
  description: 'the 12 digits of a token, see: whetstone tokens',
});
const ById = Type.Object({ id }, closed);
const New = Type.Object(
  {
    name: Type.String({
      pattern: '^[\\w.@-][\\w .@-]{0,63}$',
      description: 'a person or a program: up to 64 letters, digits, spaces and . @ - _',
    }),
    role: Type.Enum([...ROLES]),
    days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3660 })),
  },
  closed,
);

const nameOf = ({ name, via }: Caller): string => (name === '' ? via : name);

/**
 * Puts the calls about tokens under `/api`, and who the asker is.
 *
 * @param add puts one route
 * @param calls what answers them
 */
export function addTokenRoutes(add: AddRoute, calls: Calls): void {
  const tokens = gives(Type.Array(TokenView), 'tokens, oldest first; never what is secret of them');
  const me = gives(Caller, 'name of the token, its role, and how it was shown');
  add('GET', '/me', { role: 'viewer', summary: 'Who I am', returns: me }, async ({ who }) => who);
  add('GET', '/tokens', { role: 'admin', summary: 'Every token', returns: tokens }, () =>
    calls.tokens(),
  );
  add(
    'POST',
    '/tokens',
    {
      ...{ role: 'admin', summary: 'Make a token', body: New },
      returns: gives(AddedToken, 'the token: it is told this once'),
    },
    ({ body, who }) => calls.addToken(body, nameOf(who)),
  );
  add(
    'POST',
    '/tokens/:id/revoke',
    {
      ...{ role: 'admin', summary: 'End a token, and every sign-in with it', params: ById },
      returns: gives(TokenView, 'the token'),
    },
    ({ params, who }) => calls.revokeToken(params.id, nameOf(who)),
  );
}
