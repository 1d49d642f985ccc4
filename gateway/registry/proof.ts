import { crc32 } from 'node:zlib';
import { type ErrorCode, GatewayError } from '../errors.ts';
import { type ModelRow, type ReleaseRow, sha256 } from '../store/catalogue.ts';
import { canonical, decodeManifest, type PartName, partNames } from './manifest.ts';
import type { Trust } from './trust.ts';

/** What of a version is not as it should be. */
export type Flaw = 'manifest' | PartName | 'signature' | 'key' | 'revoked';

type Judge = (bytes: Uint8Array, signature: Uint8Array, signer: string | null) => Trust;

const flaws: Record<Exclude<Trust, 'good'>, Flaw> = {
  wrong: 'signature',
  unknown: 'key',
  revoked: 'revoked',
};

/**
 * Looks for what is wrong with a version: every hash is computed again, the signature is checked.
 *
 * @param part bytes of a part by its SHA-256
 * @param trust what a signature is worth
 * @returns undefined where all is well
 */
export function flawOf(
  { version, manifest, signature, signer }: ModelRow,
  part: (sha256: string) => Uint8Array | undefined,
  trust: Judge,
): Flaw | undefined {
  if (sha256(manifest) !== version) return 'manifest';
  const worth = trust(manifest, signature, signer);
  if (worth === 'wrong' || worth === 'unknown') return flaws[worth];
  const { parts } = decodeManifest(manifest);
  for (const name of partNames) {
    const { sha256: hash, length, crc32: crc } = parts[name];
    const bytes = part(hash);
    const isSame =
      bytes !== undefined &&
      bytes.length === length &&
      crc32(bytes) === crc &&
      sha256(bytes) === hash;
    if (!isSame) return name;
  }
  return worth === 'revoked' ? 'revoked' : undefined;
}

/**
 * The bytes that a release's signature covers.
 *
 * @param row one without an end is of before releases ended, and was signed without
 */
export function statementOf(
  gateway: string,
  row: Pick<ReleaseRow, 'release' | 'version' | 'at' | 'expires' | 'why'>,
): Uint8Array {
  const { release, version, at, expires, why } = row;
  const head = ['release', gateway, release, version, at];
  return canonical(expires === null ? [...head, why] : [...head, expires, why]);
}

/**
 * Turns away what does not prove itself.
 *
 * @param what it is, for people
 * @param flaw see {@link flawOf}; or what a signature is worth
 * @throws GatewayError 'bad-hash', 'bad-signature', 'bad-key' or 'revoked-key'; not where nothing is wrong
 */
export function refuse(what: string, flaw: Flaw | Trust | undefined): void {
  if (flaw === undefined || flaw === 'good') return;
  const found = flaw in flaws ? flaws[flaw as keyof typeof flaws] : (flaw as Flaw);
  const [code, why, hint] = words[found] ?? [
    'bad-hash' as const,
    `its ${found} is not what was signed`,
    'the store was damaged or changed: whetstone verify; restore a backup',
  ];
  throw new GatewayError(code, `${what} is refused: ${why}`, { hint });
}

const words: Partial<Record<Flaw, [code: ErrorCode, why: string, hint: string]>> = {
  signature: [
    'bad-signature',
    'it is not signed by this gateway',
    'the store was changed: whetstone verify; restore a backup',
  ],
  key: [
    'bad-key',
    'its key is none of this gateway',
    'the store was changed: whetstone verify; restore a backup',
  ],
  revoked: [
    'revoked-key',
    'the key that signed it is revoked',
    'look at it (whetstone models), then sign it again: whetstone signing sign VERSION',
  ],
};
