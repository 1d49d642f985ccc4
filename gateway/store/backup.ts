import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../errors.ts';
import { unwritable } from '../named-file.ts';
import {
  type BackupContents,
  CHUNK,
  isRestoring,
  LENGTH_BYTES,
  MAGIC,
  STORE,
} from './backup-format.ts';
import { storeFile } from './database.ts';
import { storeFailure } from './failure.ts';
import { rowsOf } from './rows.ts';
import { schemaVersion } from './schema.ts';
import { isKeyFile, syncDirectory } from './sealed-file.ts';

/** Name that a backup has until it is whole. */
const PARTIAL = '.partial';

/**
 * Writes a backup of a data directory, whether or not its gateway runs: the store as it was at one
 * moment, and the key files beside it. The file has its name only when it is whole and on the disk.
 *
 * It is SQLite's copy of the store, followed by the other files, a list of all with their hashes (JSON),
 * and that list's own hash and length. In an encrypted store everything in it that was sealed stays sealed.
 *
 * @param directory data directory
 * @param path of the file to write
 * @param now ms since 1970
 * @throws GatewayError 'not-found' if there is no store, 'not-allowed' if the file is there already,
 *   'bad-file' if it cannot be written, 'disk-full'
 */
export function writeBackup(directory: string, path: string, now: number): BackupContents {
  if (existsSync(path)) throw exists(path);
  if (!existsSync(storeFile(directory))) {
    throw new GatewayError('not-found', `no store in ${directory}`, {
      hint: 'name the data directory of the gateway: --data-dir DIR',
    });
  }
  if (isRestoring(directory)) {
    throw new GatewayError('store', `a backup is being restored to ${directory}`, {
      hint: 'it is finished at the next start: whetstone start',
    });
  }
  const partial = path + PARTIAL;
  let file: number | undefined;
  try {
    rmSync(partial, { force: true }); // of a backup that was killed
    file = openSync(partial, 'wx+', 0o600);
    const about = copyStore(directory, partial);
    const files = [{ name: STORE, ...hashOf(file) }];
    for (const name of readdirSync(directory).filter(isKeyFile).sort()) {
      const bytes = readFileSync(join(directory, name));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      append(file, bytes);
      files.push({ name, bytes: bytes.length, sha256 });
    }
    const contents: BackupContents = { at: now, ...about, files };
    const list = Buffer.from(JSON.stringify(contents));
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(list.length);
    const hash = createHash('sha256').update(list).digest();
    append(file, Buffer.concat([list, hash, length, MAGIC]));
    fsyncSync(file);
    linkSync(partial, path); // unlike a rename it never replaces what is there
    syncDirectory(dirname(path));
    return contents;
  } catch (cause) {
    throw failure(cause, directory, path);
  } finally {
    if (file !== undefined) {
      closeSync(file);
      for (const left of [partial, `${partial}-journal`]) rmSync(left, { force: true });
    }
  }
}

/** One reading transaction, however much is written meanwhile. */
function copyStore(directory: string, to: string): Omit<BackupContents, 'at' | 'files'> {
  const db = new DatabaseSync(storeFile(directory), { readOnly: true, timeout: 10_000 });
  try {
    const rows = rowsOf(db);
    const meta = (name: string) =>
      rows.one<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)?.value;
    const sealing = meta('sealing');
    const about = {
      gateway: meta('gateway') ?? '',
      schema: schemaVersion(db),
      keyId: sealing === undefined ? null : (JSON.parse(sealing) as { keyId: string }).keyId,
    };
    db.prepare('VACUUM INTO ?').run(to);
    return about;
  } finally {
    db.close();
  }
}

function append(file: number, bytes: Uint8Array): void {
  let at = statSize(file);
  for (let done = 0; done < bytes.length; ) {
    const n = writeSync(file, bytes, done, bytes.length - done, at);
    done += n;
    at += n;
  }
}

const statSize = (file: number): number => fstatSync(file).size;

function hashOf(file: number): { bytes: number; sha256: string } {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK);
  let bytes = 0;
  for (let n = -1; n !== 0; bytes += n) {
    n = readSync(file, chunk, 0, CHUNK, bytes);
    hash.update(chunk.subarray(0, n));
  }
  return { bytes, sha256: hash.digest('hex') };
}

const exists = (path: string): GatewayError =>
  new GatewayError('not-allowed', `${path} is there already`, {
    hint: 'a backup never overwrites: name another file',
  });

function failure(cause: unknown, directory: string, path: string): Error {
  const { code } = cause as NodeJS.ErrnoException;
  if (cause instanceof GatewayError) return cause;
  if (code === 'EEXIST') return exists(path);
  const found = code === 'ERR_SQLITE_ERROR' ? storeFailure(cause, directory) : undefined;
  // what is written is the backup, not the store
  if (code === 'ENOSPC' || (found instanceof GatewayError && found.code === 'disk-full')) {
    return new GatewayError('disk-full', `no room for backup ${path}`, {
      cause,
      hint: 'it needs as much as the store; write it to another disk',
    });
  }
  if (found !== undefined) return found;
  if (code === undefined) return cause as Error;
  return unwritable(path, cause, { what: 'backup', hint: 'choose another place for it' });
}
