import Type, { type Static } from 'typebox';
import { orNull, text, time, timeOrNull } from './schema.ts';

/** Where a device with keys stands. */
export const KeyView = Type.Object({
  device: Type.String(),
  board: Type.String(),
  suite: Type.Enum(['ccm', 'mac']),
  generation: orNull(Type.Integer(), 'null once they are removed'),
  pending: orNull(Type.Integer(), 'a generation that is on its way to the device'),
  addedAt: time('when it first had keys'),
  rotatedAt: time('when the present generation came into use on both sides'),
  removedAt: timeOrNull('null while it has keys'),
  connected: Type.Boolean(),
});
export type KeyView = Static<typeof KeyView>;

/** New keys, with what goes into the device's flash. */
export const AddedKeys = Type.Object({
  ...KeyView.properties,
  image: text('slot file of the device from its first whole page on, with the keys; base64'),
});
export type AddedKeys = Static<typeof AddedKeys>;

/** A key that signs, or signed. */
export const SigningKeyView = Type.Object({
  id: Type.String(),
  publicKey: text('hex, 32 bytes, Ed25519'),
  since: time('since when it is there'),
  signedBy: text('the key that vouches for it; the first one for itself'),
  current: Type.Boolean({ description: 'signs now' }),
  revoked: orNull(
    Type.Object({ at: time('when'), reason: Type.String() }),
    'null while it is trusted',
  ),
  versions: Type.Integer({ description: "versions whose signature is this key's" }),
});
export type SigningKeyView = Static<typeof SigningKeyView>;

export const SignedView = Type.Object({
  version: Type.String(),
  signer: text('id of the key that signed'),
});
export type SignedView = Static<typeof SignedView>;
