import { randomBytes } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import type { Rows } from './rows.ts';
import { keyIdOf, type StoreKey } from './store-key.ts';
import { plainVault, sealedVault, type Vault } from './vault.ts';

/** What `meta` says of the key: enough to know it again, nothing to find it by. */
interface Sealing {
  /** hexadecimal, 16 bytes */
  salt: string;
  keyId: string;
  /** base64: a known text, sealed */
  check: string;
}

const META = 'sealing';
const KNOWN = Buffer.from('whetstone');

/**
 * The vault of a store that is there, after its key was checked. Reads only.
 *
 * @throws GatewayError 'store-key' if the key is missing, another one, or one too many
 */
export function vaultOf(
  rows: Rows,
  key: StoreKey | undefined,
  directory: string,
  now: () => number,
): Vault {
  const row = rows.one<{ value: string }>('SELECT value FROM meta WHERE name = ?', META);
  if (row === undefined) {
    if (key === undefined) return plainVault;
    throw new GatewayError('store-key', `the store in ${directory} is not encrypted`, {
      hint: `to encrypt it: whetstone encrypt --data-dir ${directory} --key-file FILE; else leave the key away`,
    });
  }
  const { salt, keyId, check } = JSON.parse(row.value) as Sealing;
  if (key === undefined) {
    throw new GatewayError('store-key', `the store in ${directory} is encrypted`, {
      hint: `give its key ${keyId}: --key-file FILE, keyFile in the configuration, or a systemd credential`,
    });
  }
  const wrong = (cause?: unknown) =>
    new GatewayError('store-key', `${key.source} does not open the store in ${directory}`, {
      cause,
      hint: `it is key ${keyIdOf(key.bytes)}; the store needs key ${keyId}`,
    });
  if (keyIdOf(key.bytes) !== keyId) throw wrong();
  const vault = sealedVault(key.bytes, Buffer.from(salt, 'hex'), keyId, now);
  try {
    vault.open('meta', META, 'check', Buffer.from(check, 'base64'));
  } catch (cause) {
    throw wrong(cause);
  }
  return vault;
}

/** Seals a store with a key, or unseals it: writes what `meta` says of it; columns are the caller's. */
export function writeSealing(rows: Rows, key: StoreKey | undefined, now: () => number): Vault {
  if (key === undefined) {
    rows.run('DELETE FROM meta WHERE name = ?', META);
    return plainVault;
  }
  const salt = randomBytes(16);
  const keyId = keyIdOf(key.bytes);
  const vault = sealedVault(key.bytes, salt, keyId, now);
  const check = Buffer.from(vault.seal('meta', META, 'check', KNOWN)).toString('base64');
  const sealing: Sealing = { salt: salt.toString('hex'), keyId, check };
  rows.run(
    'INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)',
    META,
    JSON.stringify(sealing),
  );
  return vault;
}
