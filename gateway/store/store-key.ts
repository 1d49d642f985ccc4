import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../errors.ts';
import { readNamed } from '../named-file.ts';

/** The key that a store is sealed with. */
export interface StoreKey {
  /** 32 bytes */
  bytes: Uint8Array;
  /** where it came from, for messages */
  source: string;
}

/** Name of the credential that systemd hands over (LoadCredential=, LoadCredentialEncrypted=). */
const CREDENTIAL = 'whetstone-store-key';
const KEY_BYTES = 32;
/** Accessible for anybody but the owner. */
const TOO_OPEN = 0o077;

/**
 * Reads the key of a store: from a file, else from systemd's credential, else there is none.
 *
 * @param path of a file with 32 bytes: as they are, in hexadecimal or in base64
 * @param env where systemd says where its credentials are
 * @throws GatewayError 'store-key' if the file is missing, holds no key, or others may read it
 */
export function readStoreKey(
  path: string | undefined,
  env: Record<string, string | undefined> = process.env,
): StoreKey | undefined {
  if (path !== undefined) {
    const bytes = read(path);
    if ((statSync(path).mode & TOO_OPEN) !== 0) {
      throw new GatewayError('store-key', `others may read key file ${path}`, {
        hint: `chmod 600 ${path}`,
      });
    }
    return { bytes: parse(bytes, path), source: `key file ${path}` };
  }
  const folder = env.CREDENTIALS_DIRECTORY;
  // systemd guards its folder itself: there a mode says nothing
  if (folder === undefined || !existsSync(join(folder, CREDENTIAL))) return undefined;
  const credential = join(folder, CREDENTIAL);
  return { bytes: parse(read(credential), credential), source: `credential ${CREDENTIAL}` };
}

/**
 * Makes a key file, readable for this user alone.
 *
 * @returns fingerprint of the key
 * @throws GatewayError 'store-key' if the file is there already or cannot be written
 */
export function makeStoreKey(path: string): string {
  const bytes = randomBytes(KEY_BYTES);
  try {
    writeFileSync(path, `${bytes.toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new GatewayError(
      'store-key',
      `cannot make key file ${path}${isThere ? ': it exists' : ''}`,
      {
        cause,
        hint: isThere ? 'a key is never overwritten: name another file' : 'is its folder there?',
      },
    );
  }
  return keyIdOf(bytes);
}

/**
 * Names a key without telling anything of it: 16 hexadecimal digits.
 *
 * @example keyIdOf(new Uint8Array(32)) // 'babbf698fda0b3bb'
 */
export function keyIdOf(bytes: Uint8Array): string {
  return createHmac('sha256', bytes).update('whetstone store key id').digest('hex').slice(0, 16);
}

function read(path: string): Buffer {
  return readNamed(path, {
    ...{ what: 'key file', code: 'store-key' },
    hint: 'without its key a store stays closed; make a new one for a new store: whetstone encrypt --help',
  });
}

function parse(file: Buffer, path: string): Uint8Array {
  const text = file.toString('latin1').trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return Buffer.from(text, 'base64');
  // 32 random bytes are never all printable: that would be a password, or half a key in hexadecimal
  const isText = /^[\x20-\x7e\s]*$/.test(file.toString('latin1'));
  if (file.length === KEY_BYTES && !isText) return file;
  throw new GatewayError('store-key', `key file ${path} holds no key of ${KEY_BYTES} bytes`, {
    hint: '32 random bytes, in hexadecimal or base64; make one: whetstone encrypt --new-key FILE',
  });
}
