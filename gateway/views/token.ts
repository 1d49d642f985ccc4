import Type, { type Static } from 'typebox';
import { ROLES } from '../roles.ts';
import { text, time, timeOrNull } from './schema.ts';

const role = Type.Enum([...ROLES]);

/** A token without what is secret of it. */
export const TokenView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  role,
  addedAt: time('when it was made'),
  expiresAt: timeOrNull('null where it counts for ever'),
  revokedAt: timeOrNull('null where it was not'),
  usedAt: timeOrNull('to the hour; null before it was used'),
  valid: Type.Boolean({ description: 'whether it counts now' }),
});
export type TokenView = Static<typeof TokenView>;

export const AddedToken = Type.Object({
  ...TokenView.properties,
  token: text('what its owner shows: `Authorization: Bearer TOKEN`'),
});
export type AddedToken = Static<typeof AddedToken>;

/** Who asks. */
export const Caller = Type.Object({
  name: text("of the token; '' where none was shown"),
  role,
  via: Type.Enum(['loopback', 'token', 'session'], { description: 'how it was shown' }),
});
export type Caller = Static<typeof Caller>;

export const EndedView = Type.Object({
  ended: Type.Boolean({ description: 'whether somebody was signed in' }),
});
export type EndedView = Static<typeof EndedView>;
