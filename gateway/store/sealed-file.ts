import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { GatewayError } from '../errors.ts';
import type { Vault } from './vault.ts';

/** Files of keys beside the store: they are sealed with it, and go into its backups. */
export const isKeyFile = (name: string): boolean => name.endsWith('.pem');

const BEGIN = '-----BEGIN WHETSTONE SEALED KEY-----';
const END = '-----END WHETSTONE SEALED KEY-----';
/** What stands beside a file while the store's key is being changed. */
const NEXT = '.next';

/**
 * Reads a key file; in an encrypted store it is sealed, and a plain one there is sealed at once.
 *
 * @throws GatewayError 'store-key' if it is sealed and the store is not, or with another key
 */
export function readSealed(path: string, vault: Vault): Buffer {
  settle(path, vault);
  const file = readFileSync(path);
  const bytes = unwrap(file, path, vault);
  if (!isSealed(file) && vault.keyId !== null) writeWhole(path, wrap(bytes, path, vault));
  return bytes;
}

/** What a key file holds in this store: the bytes themselves, or sealed. */
export function wrap(bytes: Uint8Array, path: string, vault: Vault): Uint8Array {
  if (vault.keyId === null) return bytes;
  const sealed = Buffer.from(vault.seal('file', basename(path), 'bytes', bytes));
  const lines = sealed.toString('base64').match(/.{1,64}/g) ?? [];
  return Buffer.from(`${[BEGIN, ...lines, END].join('\n')}\n`);
}

function unwrap(file: Buffer, path: string, vault: Vault): Buffer {
  if (!isSealed(file)) return file;
  const base64 = file.toString().replace(BEGIN, '').replace(END, '');
  if (vault.keyId !== null) {
    const opened = vault.open('file', basename(path), 'bytes', Buffer.from(base64, 'base64'));
    return Buffer.from(opened);
  }
  throw new GatewayError('store-key', `key file ${path} is sealed, and the store is not`, {
    hint: 'it belongs to another store: put back the one that was here',
  });
}

const isSealed = (file: Buffer): boolean => file.subarray(0, BEGIN.length).toString() === BEGIN;

/** Writes beside a key file what it is to be under another key of the store. */
export function prepareSealed(path: string, old: Vault, vault: Vault): void {
  writeWhole(path + NEXT, wrap(unwrap(readFileSync(path), path, old), path, vault));
}

/** Makes what was prepared count, where the store got its new key; else throws it away. */
export function settleSealed(directory: string, vault: Vault): void {
  const prepared = readdirSync(directory).filter((name) => name.endsWith(NEXT));
  for (const name of prepared) settle(join(directory, name.slice(0, -NEXT.length)), vault);
}

function settle(path: string, vault: Vault): void {
  if (!existsSync(path + NEXT)) return;
  try {
    unwrap(readFileSync(path + NEXT), path, vault);
    renameSync(path + NEXT, path);
    syncDirectory(dirname(path));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    rmSync(path + NEXT); // sealed with a key that the store never got
  }
}

/** Replaces a file, private to this user: it is the old one or the new one, whole. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const partial = `${path}.partial`;
  rmSync(partial, { force: true });
  writeFileSync(partial, bytes, { mode: 0o600, flag: 'wx', flush: true });
  renameSync(partial, path);
  syncDirectory(dirname(path));
}

/** Makes what was created, renamed or removed in a folder survive a loss of power. */
export function syncDirectory(directory: string): void {
  if (!statSync(directory).isDirectory()) return;
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
