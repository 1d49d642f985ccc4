import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { GatewayError } from '../errors.ts';

/** Signs with the gateway's own Ed25519 key. */
export interface Signer {
  /** @returns 64 bytes */
  sign(bytes: Uint8Array): Uint8Array;
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
  /** SubjectPublicKeyInfo, PEM: what another gateway needs to check */
  readonly publicKey: string;
}

/** Readable for anybody but the owner */
const tooOpen = 0o077;

/**
 * Opens the key file of a gateway; at the first start it is made, readable for this user alone.
 *
 * @param path PKCS #8, PEM
 * @throws GatewayError 'not-allowed' if others may read the file, 'bad-file' if it holds no Ed25519 key
 */
export function openSigner(path: string): Signer {
  try {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    // on the disk before anything is signed with it: an empty file would keep every later start from working
    writeFileSync(path, pem, { mode: 0o600, flag: 'wx', flush: true });
    return signerOf(privateKey);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new GatewayError('bad-file', `cannot make key file ${path}`, {
        cause: error,
        hint: 'the folder must exist and this user must be allowed to write there',
      });
    }
  }
  if ((statSync(path).mode & tooOpen) !== 0) {
    throw new GatewayError('not-allowed', `others may read key file ${path}`, {
      hint: `chmod 600 ${path}`,
    });
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(readFileSync(path));
  } catch (cause) {
    throw new GatewayError('bad-file', `key file ${path} holds no key`, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new GatewayError('bad-file', `key file ${path} holds no Ed25519 key`);
  }
  return signerOf(key);
}

/** A signer that keeps its key in memory only: for replays. */
export function memorySigner(): Signer {
  return signerOf(generateKeyPairSync('ed25519').privateKey);
}

function signerOf(privateKey: KeyObject): Signer {
  const publicKey = createPublicKey(privateKey);
  return {
    sign: (bytes) => new Uint8Array(sign(null, bytes, privateKey)),
    verify: (bytes, signature) => verify(null, bytes, publicKey, signature),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
  };
}
