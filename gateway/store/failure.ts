import { GatewayError } from '../errors.ts';

/** SQLite result codes: SQLITE_FULL, and the extended code for shared memory that cannot grow */
const full = 13;
const sharedMemoryFull = 4874;
const cannotOpen = 14;

/**
 * What SQLite said, as the gateway's own error: 'disk-full' for lack of room, else 'store'. Anything
 * that is not SQLite's (a programmer's TypeError, a GatewayError) stays what it is.
 */
export function storeFailure(cause: unknown, directory: string): Error {
  const { code, errcode = 0, message } = cause as Error & { code?: string; errcode?: number };
  if (code !== 'ERR_SQLITE_ERROR') return cause as Error;
  if (errcode === full || errcode === sharedMemoryFull) {
    return new GatewayError('disk-full', `no room left for the store in ${directory}`, {
      cause,
      hint: 'free some space; nothing is acknowledged meanwhile and devices send it again',
    });
  }
  if (errcode === cannotOpen) {
    return new GatewayError('not-found', `no store in ${directory}`, {
      cause,
      hint: 'start the gateway there first: whetstone start',
    });
  }
  return new GatewayError('store', `the store in ${directory} failed: ${message}`, { cause });
}
