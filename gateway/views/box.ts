import Type, { type Static } from 'typebox';
import { count, orNull, text, time } from './schema.ts';
import { GatewayEvent } from './status.ts';

export { Verification } from '../audit/verification.ts';

/** An event, with its hash. */
export const AuditEntry = Type.Object({ ...GatewayEvent.properties, hash: text('SHA-256, hex') });
export type AuditEntry = Static<typeof AuditEntry>;

/** What was decided. */
export const AuditView = Type.Object({
  entries: Type.Array(AuditEntry),
  head: Type.Object(
    { entry: Type.Integer(), hash: Type.String() },
    { description: 'the newest entry of all' },
  ),
});
export type AuditView = Static<typeof AuditView>;

/** A backup that was written. */
export const BackupView = Type.Object({
  file: text('path on the box'),
  at: time('when it was made'),
  gateway: text('whose it is'),
  schema: count('of the store'),
  keyId: orNull(
    Type.String(),
    'fingerprint of the key that it needs; null where it is not encrypted',
  ),
  files: Type.Array(
    Type.Object({ name: Type.String(), bytes: count('of the file'), sha256: text('hex') }),
  ),
});
export type BackupView = Static<typeof BackupView>;
