import type { SigningCalls, SigningKeyView } from './calls.ts';
import type { Composed } from './compose.ts';

/**
 * Answers what is asked about the keys that sign.
 *
 * @param gateway composed
 * @param whole a version by its first digits
 */
export function signingService(
  { store, registry, sealer }: Composed,
  whole: (prefix: string) => string,
): SigningCalls {
  const { keyring } = registry;
  function list(): SigningKeyView[] {
    const rows = keyring.list();
    const models = store.catalogue.models({});
    return rows.map(({ id, publicKey, at, signedBy, revokedAt, reason }, k) => ({
      ...{ id, publicKey: Buffer.from(publicKey).toString('hex'), since: at, signedBy },
      current: k === rows.length - 1,
      revoked: revokedAt === null ? null : { at: revokedAt, reason: reason ?? '' },
      versions: models.filter(({ signer }) => (signer ?? rows[0]?.id) === id).length,
    }));
  }

  /** What keys do is signed at once: nobody cuts it off unseen. */
  const sealed = (): SigningKeyView[] => {
    sealer.seal();
    return list();
  };

  return {
    signingKeys: async () => list(),
    async rotateSigning(by = 'person') {
      keyring.rotate(by);
      return sealed();
    },
    async revokeSigning({ id, reason }, by = 'person') {
      keyring.revoke(id, { who: by, why: reason });
      return sealed();
    },
    async signVersion({ version: prefix, reason }, by = 'person') {
      const version = whole(prefix);
      registry.signAgain(version, { who: by, why: reason });
      sealer.seal();
      return { version, signer: keyring.list().at(-1)?.id as string };
    },
  };
}
