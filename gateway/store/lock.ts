import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../errors.ts';

/** SQLITE_BUSY, SQLite result codes */
const busy = 5;

/**
 * Takes a data directory for this process alone.
 *
 * The lock itself is the operating system's (SQLite holds it on `gateway.lock`), so it ends with the
 * process, however that ends: there is no stale lock to judge, and a number that the system gives to
 * another process later cannot deceive. `gateway.pid` only says who it is.
 *
 * @param directory data directory, which exists
 * @returns gives the directory free again
 * @throws GatewayError 'in-use' that names the process which holds it
 */
export function lockDirectory(directory: string): () => void {
  const pidFile = join(directory, 'gateway.pid');
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(directory, 'gateway.lock'), { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock?.close();
    if (((cause as { errcode?: number }).errcode ?? 0) % 256 !== busy) {
      throw new GatewayError('store', `cannot use data directory ${directory}`, {
        cause,
        hint: 'check that it exists and that this user may write there',
      });
    }
    throw new GatewayError(
      'in-use',
      `data directory ${directory} is in use by ${holder(pidFile)}`,
      {
        cause,
        hint: 'stop that process or choose another data directory',
      },
    );
  }
  const held = lock;
  try {
    writeFileSync(pidFile, `${process.pid}\n`);
  } catch (cause) {
    held.close();
    throw new GatewayError('store', `cannot write ${pidFile}`, {
      cause,
      hint: 'choose a data directory that this user may write',
    });
  }
  return () => held.close();
}

function holder(pidFile: string): string {
  try {
    return `process ${Number.parseInt(readFileSync(pidFile, 'utf8'), 10)}`;
  } catch {
    return 'another process';
  }
}
