import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { existsSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { GatewayError } from '../errors.ts';
import { readSealed, syncDirectory, wrap, writeWhole } from '../store/sealed-file.ts';
import { plainVault, type Vault } from '../store/vault.ts';

/** An Ed25519 key that can sign. */
export interface SigningKey {
  /** see {@link keyId} */
  id: string;
  /** 32 bytes, RFC 8032 */
  publicKey: Uint8Array;
  /** @returns 64 bytes */
  sign(bytes: Uint8Array): Uint8Array;
}

/**
 * Where the gateway's own key is kept, and for a moment the one that will follow it. Each call is
 * one durable step; what they are good for is told by the keyring.
 */
export interface Signer {
  readonly current: SigningKey;
  /** made and kept, not in use yet */
  readonly next: SigningKey | undefined;
  /** Makes the next key, in place of any that waits. */
  prepare(): SigningKey;
  /** The next key takes the place of the present one, which is gone then. */
  adopt(): void;
  /** Forgets the next key. */
  discard(): void;
}

/** Readable for anybody but the owner */
const tooOpen = 0o077;
const nextTo = (path: string): string => join(dirname(path), `next-${basename(path)}`);

/**
 * What a key is called: the first 8 bytes of the SHA-256 of its public half, hex.
 *
 * @example keyId(new Uint8Array(32)) // '66687aadf862bd77'
 */
export function keyId(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 16);
}

/**
 * Checks an Ed25519 signature.
 *
 * @param publicKey 32 bytes
 * @source RFC 8032
 */
export function verifyWith(
  publicKey: Uint8Array,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const x = Buffer.from(publicKey).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, bytes, key, signature);
}

/**
 * Opens the key file of a gateway; at the first start it is made, readable for this user alone.
 *
 * @param path PKCS #8, PEM; sealed where the store is encrypted
 * @param vault of the store
 * @throws GatewayError 'not-allowed' if others may read the file, 'bad-file' if it holds no Ed25519 key
 */
export function openSigner(path: string, vault: Vault = plainVault): Signer {
  const waiting = nextTo(path);
  const forget = (): void => {
    rmSync(waiting, { force: true });
    syncDirectory(dirname(path));
  };
  if (!existsSync(path)) write(path, generateKeyPairSync('ed25519').privateKey, vault);
  let current = read(path, vault);
  let next = existsSync(waiting) ? read(waiting, vault) : undefined;
  return {
    get current() {
      return signingKey(current);
    },
    get next() {
      return next && signingKey(next);
    },
    prepare() {
      next = generateKeyPairSync('ed25519').privateKey;
      write(waiting, next, vault);
      return signingKey(next);
    },
    adopt() {
      if (next === undefined) throw new TypeError('there is no next key');
      write(path, next, vault); // the file that was: sealed under its own name, it cannot be renamed
      forget();
      current = next;
      next = undefined;
    },
    discard() {
      forget();
      next = undefined;
    },
  };
}

/** Keys that are kept in memory only: for replays. */
export function memorySigner(): Signer {
  let current = signingKey(generateKeyPairSync('ed25519').privateKey);
  let next: SigningKey | undefined;
  return {
    get current() {
      return current;
    },
    get next() {
      return next;
    },
    prepare() {
      next = signingKey(generateKeyPairSync('ed25519').privateKey);
      return next;
    },
    adopt() {
      if (next === undefined) throw new TypeError('there is no next key');
      current = next;
      next = undefined;
    },
    discard() {
      next = undefined;
    },
  };
}

function write(path: string, key: KeyObject, vault: Vault): void {
  const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
  try {
    writeWhole(path, wrap(Buffer.from(pem), path, vault));
  } catch (cause) {
    throw new GatewayError('bad-file', `cannot make key file ${path}`, {
      cause,
      hint: 'the folder must exist and this user must be allowed to write there',
    });
  }
}

function read(path: string, vault: Vault): KeyObject {
  if ((statSync(path).mode & tooOpen) !== 0) {
    throw new GatewayError('not-allowed', `others may read key file ${path}`, {
      hint: `chmod 600 ${path}`,
    });
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(readSealed(path, vault));
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError('bad-file', `key file ${path} holds no key`, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new GatewayError('bad-file', `key file ${path} holds no Ed25519 key`);
  }
  return key;
}

function signingKey(privateKey: KeyObject): SigningKey {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  const publicKey = new Uint8Array(Buffer.from(x as string, 'base64url'));
  return {
    ...{ id: keyId(publicKey), publicKey },
    sign: (bytes) => new Uint8Array(sign(null, bytes, privateKey)),
  };
}
