import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** One file inside a backup. */
export interface BackupEntry {
  name: string;
  bytes: number;
  /** lower-case hexadecimal */
  sha256: string;
}

/** What a backup says of itself. */
export interface BackupContents {
  /** ms since 1970 */
  at: number;
  /** whose it is: the store's own name */
  gateway: string;
  schema: number;
  /** fingerprint of the key that it needs; null where it is not encrypted */
  keyId: string | null;
  /** in the order in which they stand in the file; the store first */
  files: BackupEntry[];
}

/** Name of the store inside a backup. */
export const STORE = 'store.db';
/** The last bytes of a backup; before them its list, the list's SHA-256 and its length (big-endian). */
export const MAGIC = Buffer.from('whetstone backup 1\n');
export const HASH_BYTES = 32;
export const LENGTH_BYTES = 4;
export const CHUNK = 1 << 20;

/** Folder in a data directory that holds a backup, whole and verified: it counts, and is moved into place. */
export const READY = 'restore.ready';

/** Whether a restored backup waits to be moved into place. */
export const isRestoring = (directory: string): boolean => existsSync(join(directory, READY));
