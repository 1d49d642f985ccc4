import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../errors.ts';

/** SQLite result codes; the extended ones say which operation failed (their low byte is the code). */
const FULL = 13;
const SHARED_MEMORY_FULL = 4874;
const READ_ONLY = 8;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;
const CANNOT_OPEN = 14;
/** SQLITE_IOERR_ + WRITE, FSYNC, DIR_FSYNC, TRUNCATE, SHMOPEN, SHMMAP, BEGIN_ATOMIC, COMMIT_ATOMIC */
const CANNOT_WRITE = [778, 1034, 1290, 1546, 4618, 5386, 7434, 7690];

/**
 * What SQLite said, as the gateway's own error: 'disk-full' and 'disk-read-only' where nothing can
 * be written, 'damaged' where the file is not what it should be, else 'store'. Anything that is not
 * SQLite's (a programmer's TypeError, a GatewayError) stays what it is.
 *
 * @param isWriting the store is meant to be written, not only looked at
 */
export function storeFailure(cause: unknown, directory: string, isWriting = false): Error {
  const { code, errcode = 0, message } = cause as Error & { code?: string; errcode?: number };
  if (code !== 'ERR_SQLITE_ERROR') return cause as Error;
  const primary = errcode % 256;
  if (errcode === FULL || errcode === SHARED_MEMORY_FULL) {
    return new GatewayError('disk-full', `no room left for the store in ${directory}`, {
      cause,
      hint: 'free some space; nothing is acknowledged meanwhile and devices send it again',
    });
  }
  const isRefused = [READ_ONLY, CANNOT_OPEN].includes(primary) || CANNOT_WRITE.includes(errcode);
  // SQLite makes a file beside the store even to look into it
  const isThere = primary === CANNOT_OPEN && existsSync(join(directory, 'store.db'));
  if (isThere || (isWriting && isRefused)) {
    return new GatewayError(
      'disk-read-only',
      `the store in ${directory} cannot be written: ${message}`,
      {
        cause,
        hint: 'make the disk writable, or replace it; nothing is acknowledged meanwhile and devices send it again',
      },
    );
  }
  if (primary === CANNOT_OPEN) {
    return new GatewayError('not-found', `no store in ${directory}`, {
      cause,
      hint: 'start the gateway there first: whetstone start',
    });
  }
  if (primary === CORRUPT || primary === NOT_A_DATABASE)
    return damagedStore(directory, message, cause);
  return new GatewayError('store', `the store in ${directory} failed: ${message}`, { cause });
}

/** A store whose file is damaged, and what to do about it. */
export function damagedStore(directory: string, found: string, cause?: unknown): GatewayError {
  return new GatewayError('damaged', `the store in ${directory} is damaged: ${found}`, {
    cause,
    hint: `restore a backup: whetstone restore FILE --data-dir ${directory} --replace; all that is wrong: whetstone doctor --data-dir ${directory} --store`,
  });
}

/** Whether the disk takes nothing at present. It may again, and then everything goes on by itself. */
export function takesNothing(error: unknown): error is GatewayError {
  return (
    error instanceof GatewayError && (error.code === 'disk-full' || error.code === 'disk-read-only')
  );
}
