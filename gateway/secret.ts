import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A secret that is shown once, and what is kept of it. */
export interface Secret {
  id: string;
  /** 'KIND_ID_SECRET': what its owner shows */
  text: string;
  /** SHA-256 of the text, 32 bytes */
  hash: Uint8Array;
}

const ID_BYTES = 6;
const SECRET_BYTES = 32;

/**
 * Draws a secret of 256 random bits. A plain hash of it is enough to keep: nobody tries that many.
 *
 * @param kind two letters by which a scanner of leaked secrets, or a person, knows it
 * @source OWASP Session Management Cheat Sheet, session id entropy
 */
export function drawSecret(kind: string): Secret {
  const id = randomBytes(ID_BYTES).toString('hex');
  const text = `${kind}_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { id, text, hash: hashOf(text) };
}

/**
 * The id in a secret's text; undefined if it is none of this kind.
 *
 * @example secretId('wt', `wt_0123456789ab_${'x'.repeat(43)}`) // '0123456789ab'
 */
export function secretId(kind: string, text: string): string | undefined {
  const [, found, id] = /^([a-z]{2})_([0-9a-f]{12})_[\w-]{43}$/.exec(text) ?? [];
  return found === kind ? id : undefined;
}

/** Whether a text is the one of which the hash was kept; takes as long whatever differs. */
export function isSecret(text: string, hash: Uint8Array): boolean {
  return timingSafeEqual(hashOf(text), hash);
}

function hashOf(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
