import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';

/** A signing key that the gateway had or has: its public half, and who vouches for it. */
export interface SignerRow {
  id: string;
  /** 32 bytes */
  publicKey: Uint8Array;
  /** ms since 1970 */
  at: number;
  /** the key before, which signed it; the first one signed itself */
  signedBy: string;
  signature: Uint8Array;
  revokedAt: number | null;
  reason: string | null;
  /** the key that signed the revocation */
  revokedBy: string | null;
  revocation: Uint8Array | null;
}

/** Signing keys, as rows; the registry's keyring gives them their meaning. */
export interface Signers {
  /** In the order in which they took over. */
  list(): SignerRow[];
  add(row: Pick<SignerRow, 'id' | 'publicKey' | 'at' | 'signedBy' | 'signature'>): void;
  revoke(
    row: Pick<SignerRow, 'id'> & {
      [K in 'revokedAt' | 'reason' | 'revokedBy' | 'revocation']: NonNullable<SignerRow[K]>;
    },
  ): void;
}

/** @param rows the database @param commit where writes are grouped */
export function signersOf(rows: Rows, commit: GroupCommit): Signers {
  return {
    list: () => rows.all<SignerRow>('SELECT * FROM signers ORDER BY rowid'),
    add: ({ id, publicKey, at, signedBy, signature }) =>
      commit.now(() => {
        rows.run(
          'INSERT INTO signers (id, publicKey, at, signedBy, signature) VALUES (?, ?, ?, ?, ?)',
          ...[id, publicKey, at, signedBy, signature],
        );
      }),
    revoke: ({ id, revokedAt, reason, revokedBy, revocation }) =>
      commit.now(() => {
        rows.run(
          `UPDATE signers SET revokedAt = ?, reason = ?, revokedBy = ?, revocation = ?
           WHERE id = ?`,
          ...[revokedAt, reason, revokedBy, revocation, id],
        );
      }),
  };
}
