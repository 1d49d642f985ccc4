import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unwritable } from './named-file.ts';

/** Name of the file in the data directory that holds the first admin token. */
export const ADMIN_TOKEN = 'admin.token';

/**
 * Writes a token into the data directory, readable for this user alone.
 *
 * @param directory data directory
 * @returns path of the file
 * @throws GatewayError 'bad-file' if it cannot be written
 */
export function keepAdminToken(directory: string, token: string): string {
  const path = join(directory, ADMIN_TOKEN);
  try {
    rmSync(path, { force: true }); // its mode would stay
    writeFileSync(path, `${token}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (cause) {
    throw unwritable(path, cause, { hint: 'the data directory must be writable, and have room' });
  }
  return path;
}
