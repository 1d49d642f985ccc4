import type { SignerRow } from '../store/signers.ts';
import { canonical } from './manifest.ts';
import { keyId, verifyWith } from './signing.ts';

/** What a signature is worth. */
export type Trust = 'good' | 'wrong' | 'unknown' | 'revoked';

/** A key that vouches for another: what it signs. */
export function succession(gateway: string, key: Pick<SignerRow, 'id' | 'publicKey' | 'at'>) {
  return canonical(['key', gateway, key.id, key.publicKey, key.at]);
}

/** A key that is taken back: what the newest one signs. */
export function revocation(gateway: string, id: string, at: number, reason: string): Uint8Array {
  return canonical(['revoke', gateway, id, at, reason]);
}

/**
 * Follows the chain of trust from the first key: each must be signed by the one before it, each
 * revocation by a key that came later.
 *
 * @param rows in the order in which the keys took over
 * @returns why the first bad one is bad, or undefined
 */
export function brokenTrust(gateway: string, rows: readonly SignerRow[]): string | undefined {
  for (const [k, row] of rows.entries()) {
    const by = rows[Math.max(0, k - 1)] as SignerRow;
    const name = `signing key ${row.id}`;
    if (keyId(row.publicKey) !== row.id) return `${name} is not the key of that name`;
    if (
      row.signedBy !== by.id ||
      !verifyWith(by.publicKey, succession(gateway, row), row.signature)
    )
      return `${name} is not signed by the key before it`;
    const marks = [row.revokedAt, row.reason, row.revokedBy, row.revocation];
    if (marks.every((mark) => mark === null)) continue;
    const later = rows.slice(k + 1).find(({ id }) => id === row.revokedBy);
    const said = revocation(gateway, row.id, row.revokedAt ?? 0, row.reason ?? '');
    if (!later || !row.revocation || !verifyWith(later.publicKey, said, row.revocation)) {
      return `the revocation of ${name} is not signed by a later key`;
    }
  }
  return undefined;
}

/**
 * Judges a signature by the keys of a gateway.
 *
 * @param rows keys whose chain of trust was followed
 * @param signer id of the key that is said to have signed; null: the first one
 */
export function trustIn(
  rows: readonly SignerRow[],
  bytes: Uint8Array,
  signature: Uint8Array,
  signer: string | null,
): Trust {
  const row = signer === null ? rows[0] : rows.find(({ id }) => id === signer);
  if (row === undefined) return 'unknown';
  if (!verifyWith(row.publicKey, bytes, signature)) return 'wrong';
  return row.revokedAt === null ? 'good' : 'revoked';
}
