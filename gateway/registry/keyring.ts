import { GatewayError } from '../errors.ts';
import type { SignerRow } from '../store/signers.ts';
import type { Store } from '../store/store.ts';
import type { Signer } from './signing.ts';
import { brokenTrust, revocation, succession, type Trust, trustIn } from './trust.ts';

/** What was signed, and with which key. */
export interface Signed {
  signature: Uint8Array;
  /** id of the key */
  signer: string;
}

/** The signing keys of a gateway: the newest signs, all that are not revoked are believed. */
export interface Keyring {
  sign(bytes: Uint8Array): Signed;
  /** @param signer id of the key that is said to have signed; null: the first one */
  trust(bytes: Uint8Array, signature: Uint8Array, signer: string | null): Trust;
  /** Oldest first; the last one signs. */
  list(): SignerRow[];
  /**
   * Makes a new key, signed by the present one, which it replaces. What the old one signed stays
   * good; its private half is gone.
   *
   * @param who whose decision it is
   * @returns id of the new key
   */
  rotate(who: string): string;
  /**
   * Takes a key's word back, for what it signed as well.
   *
   * @throws GatewayError 'not-found' if there is no such key; 'not-allowed' if it signs at present, or is
   *   revoked already
   */
  revoke(id: string, because: { who: string; why: string }): void;
}

/**
 * Opens the keys of a gateway, and finishes or forgets a rotation that was cut off: the store says
 * which key is the newest, and its private half lies in one of two files.
 *
 * @param store where their public halves are kept
 * @param signer where the private one is
 * @param now ms since 1970
 * @throws GatewayError 'bad-key' if the key is none that the store trusts, the chain of trust is broken, or
 *   it trusts a key that the log has revoked
 */
export function openKeyring(store: Store, signer: Signer, now: () => number): Keyring {
  const { signers, journal, gateway } = store;
  let rows = signers.list();
  if (rows.length === 0) {
    const { current } = signer;
    store.transaction(() => {
      const key = { id: current.id, publicKey: current.publicKey, at: now() };
      const signature = current.sign(succession(gateway, key));
      signers.add({ ...key, signedBy: key.id, signature });
      journal.write('signer.created', key.id, {}, key.at);
    });
    rows = signers.list();
  }
  const newest = (): SignerRow => rows[rows.length - 1] as SignerRow;
  /** What was cut off between store and file: finished where the store has it, else forgotten. */
  const settle = (): void => {
    rows = signers.list();
    if (signer.next?.id === newest().id) signer.adopt();
    else if (signer.next !== undefined) signer.discard();
  };
  settle();
  if (signer.current.id !== newest().id) {
    throw new GatewayError('bad-key', `the key file holds signing key ${signer.current.id}`, {
      hint: `the store's newest is ${newest().id}: put the key file back that belongs to this data directory`,
    });
  }
  const revoked = journal.find({ kind: 'signer.revoked' }).map(({ subject }) => subject);
  const freed = rows.find(({ id, revokedAt }) => revokedAt === null && revoked.includes(id));
  const broken = freed
    ? `the log has the revocation of signing key ${freed.id}, the store's keys do not`
    : brokenTrust(gateway, rows);
  if (broken !== undefined) {
    throw new GatewayError('bad-key', broken, {
      hint: 'somebody changed the store; see: whetstone verify',
    });
  }

  return {
    sign: (bytes) => ({ signature: signer.current.sign(bytes), signer: signer.current.id }),
    trust: (bytes, signature, id) => trustIn(rows, bytes, signature, id),
    list: () => rows,
    rotate(who) {
      settle();
      const next = signer.prepare();
      store.transaction(() => {
        const key = { id: next.id, publicKey: next.publicKey, at: now() };
        const { id: signedBy } = signer.current;
        const signature = signer.current.sign(succession(gateway, key));
        signers.add({ ...key, signedBy, signature });
        journal.write('signer.rotated', key.id, { who, before: signedBy }, key.at);
      });
      settle();
      return next.id;
    },
    revoke(id, { who, why }) {
      const found = rows.find((row) => row.id === id);
      if (found === undefined) {
        throw new GatewayError('not-found', `no signing key ${id}`, {
          hint: 'see: whetstone signing',
        });
      }
      if (found.revokedAt !== null) {
        throw new GatewayError('not-allowed', `signing key ${id} is revoked already`);
      }
      if (id === newest().id) {
        throw new GatewayError('not-allowed', `signing key ${id} signs at present`, {
          hint: 'let another take over before: whetstone signing rotate',
        });
      }
      store.transaction(() => {
        const at = now();
        const bytes = revocation(gateway, id, at, why);
        const by = { revokedBy: signer.current.id, revocation: signer.current.sign(bytes) };
        signers.revoke({ id, revokedAt: at, reason: why, ...by });
        journal.write('signer.revoked', id, { who, reason: why }, at);
      });
      rows = signers.list();
    },
  };
}
