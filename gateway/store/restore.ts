import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { GatewayError } from '../errors.ts';
import { unreadable } from '../named-file.ts';
import {
  type BackupContents,
  type BackupEntry,
  CHUNK,
  HASH_BYTES,
  isRestoring,
  LENGTH_BYTES,
  MAGIC,
  READY,
  STORE,
} from './backup-format.ts';
import { lockDirectory } from './lock.ts';
import { isKeyFile, syncDirectory } from './sealed-file.ts';

/** Folder in a data directory where a backup is unpacked; when that is whole it becomes {@link READY}. */
const UNPACKED = 'restore.unpacking';
/** The names of the files in it. */
const LIST = 'files.json';
/** What a restore that was killed may have left in an empty directory. */
const LEFT = [UNPACKED, 'gateway.lock', 'gateway.pid'];

/** Most bytes of the list at the end of a backup: more than ten thousand files. */
const MOST_LIST = 1 << 20;

/**
 * Reads what a backup says of itself. Its hashes are not checked yet.
 *
 * @throws GatewayError 'bad-file' if it is none, or was cut off
 */
export function readContents(path: string): BackupContents {
  const { file, size } = open(path);
  try {
    const tail = HASH_BYTES + LENGTH_BYTES + MAGIC.length;
    if (size < tail) throw none(path, 'it has no end');
    const end = read(file, size - tail, tail);
    if (!end.subarray(-MAGIC.length).equals(MAGIC)) throw none(path, 'it has no end');
    const length = end.readUInt32BE(HASH_BYTES);
    if (length > MOST_LIST || length > size - tail) throw none(path, 'its list is damaged');
    const list = read(file, size - tail - length, length);
    const hash = createHash('sha256').update(list).digest();
    if (!end.subarray(0, HASH_BYTES).equals(hash)) throw none(path, 'its list is damaged');
    let contents: unknown;
    try {
      contents = JSON.parse(list.toString());
    } catch (cause) {
      throw none(path, 'its list is damaged', cause);
    }
    if (!isContents(contents)) throw none(path, 'its list is damaged');
    const sum = contents.files.reduce((total, entry) => total + entry.bytes, 0);
    if (sum !== size - tail - length) throw none(path, 'its list is damaged');
    return contents;
  } finally {
    closeSync(file);
  }
}

/** Whether a list says what it should, and of no file that does not belong in a data directory. */
function isContents(value: unknown): value is BackupContents {
  const { at, gateway, schema, keyId, files } = (value ?? {}) as Record<string, unknown>;
  return (
    Number.isSafeInteger(at) &&
    Number.isSafeInteger(schema) &&
    typeof gateway === 'string' &&
    (keyId === null || typeof keyId === 'string') &&
    Array.isArray(files) &&
    files.length > 0 &&
    files.every((entry: unknown, i) => {
      const { name, bytes, sha256 } = (entry ?? {}) as Record<string, unknown>;
      return (
        typeof name === 'string' &&
        (i === 0 ? name === STORE : isKeyFile(name) && basename(name) === name) &&
        Number.isSafeInteger(bytes) &&
        (bytes as number) >= 0 &&
        typeof sha256 === 'string'
      );
    })
  );
}

/** How a backup is restored. */
export interface RestoreRequest {
  /** the backup */
  path: string;
  /** data directory; made if it is missing */
  directory: string;
  /** what is there may be replaced */
  replace?: boolean;
  /**
   * looks at what was unpacked, before anything is replaced: opens it, checks it, notes in it that it
   * was restored. What it throws ends the restoring, and the directory stays as it was
   */
  verify: (directory: string, contents: BackupContents) => void;
}

/**
 * Brings a data directory to what a backup holds. Everything is unpacked and verified beside what is
 * there; then one rename makes it count, and {@link finishRestore} moves it into place, now or, after
 * a cut, at the next start. So at every moment there is the old store or the new one, whole.
 *
 * @throws GatewayError 'bad-file' if the backup is damaged; 'not-allowed' if the directory is not
 *   empty and nobody said that it may be replaced; 'in-use' while its gateway runs; what verify throws
 */
export function restoreBackup(request: RestoreRequest): BackupContents {
  const { path, directory, replace = false, verify } = request;
  const contents = readContents(path);
  try {
    mkdirSync(directory, { recursive: true });
  } catch (cause) {
    throw failure(cause, directory);
  }
  if (!replace && readdirSync(directory).some((name) => !LEFT.includes(name))) {
    throw notEmpty(directory);
  }
  const unlock = lockDirectory(directory);
  const unpacked = join(directory, UNPACKED);
  try {
    finishRestore(directory);
    mkdirSync(unpacked, { mode: 0o700 });
    unpack(path, contents.files, unpacked);
    verify(unpacked, contents);
    for (const name of readdirSync(unpacked)) {
      if (name !== STORE && !isKeyFile(name)) rmSync(join(unpacked, name)); // lock and its like
    }
    const names = JSON.stringify(contents.files.map(({ name }) => name));
    writeFileSync(join(unpacked, LIST), names, { flush: true });
    syncDirectory(unpacked);
    renameSync(unpacked, join(directory, READY));
    syncDirectory(directory);
    finishRestore(directory);
    return contents;
  } catch (error) {
    rmSync(unpacked, { recursive: true, force: true });
    throw failure(error, directory);
  } finally {
    unlock();
  }
}

/**
 * Moves a backup into place that was unpacked and verified whole, if there is one: at the end of a
 * restore, and at every start. What a cut left undone is done then; what was done stays done. The
 * caller holds the directory's lock, and has no store open in it.
 */
export function finishRestore(directory: string): void {
  rmSync(join(directory, UNPACKED), { recursive: true, force: true });
  const ready = join(directory, READY);
  if (!isRestoring(directory)) return;
  const names = JSON.parse(readFileSync(join(ready, LIST), 'utf8')) as string[];
  // the log of the store before must not be read into this one
  for (const suffix of ['-wal', '-shm']) rmSync(join(directory, STORE + suffix), { force: true });
  for (const name of readdirSync(directory).filter(isKeyFile)) {
    if (!names.includes(name)) rmSync(join(directory, name));
  }
  for (const name of names) {
    if (existsSync(join(ready, name))) renameSync(join(ready, name), join(directory, name));
  }
  syncDirectory(directory);
  // the folder goes with its list in one step: half of it would not be understood
  renameSync(ready, join(directory, UNPACKED));
  rmSync(join(directory, UNPACKED), { recursive: true });
  syncDirectory(directory);
}

function unpack(path: string, files: readonly BackupEntry[], to: string): void {
  const { file: from } = open(path);
  try {
    let at = 0;
    for (const { name, bytes, sha256 } of files) {
      const target = openSync(join(to, name), 'wx', 0o600);
      try {
        const hash = createHash('sha256');
        for (let left = bytes; left > 0; ) {
          const chunk = read(from, at, Math.min(CHUNK, left));
          hash.update(chunk);
          for (let done = 0; done < chunk.length; ) done += writeSync(target, chunk, done);
          at += chunk.length;
          left -= chunk.length;
        }
        if (hash.digest('hex') !== sha256) throw none(path, `${name} in it is damaged`);
        fsyncSync(target);
      } finally {
        closeSync(target);
      }
    }
  } finally {
    closeSync(from);
  }
}

function open(path: string): { file: number; size: number } {
  try {
    const file = openSync(path, 'r');
    return { file, size: fstatSync(file).size };
  } catch (cause) {
    throw unreadable(path, cause, { what: 'backup' });
  }
}

function read(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const n = readSync(file, bytes, done, length - done, at + done);
    if (n === 0) throw new GatewayError('bad-file', 'the backup became shorter while it was read');
    done += n;
  }
  return bytes;
}

const none = (path: string, why: string, cause?: unknown): GatewayError =>
  new GatewayError('bad-file', `${path} is no whole backup: ${why}`, {
    cause,
    hint: 'nothing was changed; take another backup',
  });

function failure(cause: unknown, directory: string): unknown {
  const { code, syscall, message } = cause as NodeJS.ErrnoException;
  if (syscall === undefined) return cause; // the gateway's own, or a defect
  const isFull = code === 'ENOSPC';
  return new GatewayError(
    isFull ? 'disk-full' : 'bad-file',
    `cannot restore to ${directory}: ${message}`,
    {
      cause,
      hint: isFull
        ? 'it needs as much again as the backup has'
        : 'name a directory that this user may write; what is there was not changed',
    },
  );
}

const notEmpty = (directory: string): GatewayError =>
  new GatewayError('not-allowed', `data directory ${directory} is not empty`, {
    hint: 'name an empty one, or say that what is there may be replaced: --replace',
  });
