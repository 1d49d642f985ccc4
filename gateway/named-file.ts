import { readFileSync, statSync } from 'node:fs';
import { type ErrorCode, GatewayError } from './errors.ts';

/** How a file is spoken of where it cannot be used. */
export interface About {
  /** what it is, before its path: 'the key', 'backup'; default nothing */
  what?: string;
  /** default 'bad-file' */
  code?: ErrorCode;
  hint?: string;
  /** more of them are not read */
  mostBytes?: number;
}

/** What the system says, in words: of reading, and of writing. */
const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
};
const WRITING: Record<string, string> = {
  ENOENT: 'its folder is not there',
  ENOTDIR: 'its folder is not there',
  EISDIR: 'it is a folder',
  EEXIST: 'it is there already',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the disk takes no writes',
  ENOSPC: 'the disk is full',
};

/**
 * Reads a file that somebody named, whole.
 *
 * @throws GatewayError with the code of `about` that says why it cannot be read
 */
export function readNamed(path: string, about: About = {}): Buffer {
  const { mostBytes = Number.POSITIVE_INFINITY } = about;
  let size: number;
  try {
    ({ size } = statSync(path));
    if (size <= mostBytes) return readFileSync(path);
  } catch (cause) {
    throw unreadable(path, cause, about);
  }
  throw unreadable(path, new Error(`it has ${size} bytes, at most ${mostBytes} are read`), about);
}

/** As the gateway reads; a larger model is not even sent. */
const MODEL_BYTES = 16 * 2 ** 20;

/**
 * Reads a model's file.
 *
 * @throws GatewayError 'bad-file' as {@link readNamed}, and where it is too large
 */
export function readModelFile(path: string): Buffer {
  return readNamed(path, { what: 'model', mostBytes: MODEL_BYTES });
}

/**
 * Reads a JSON file that somebody named.
 *
 * @throws GatewayError as {@link readNamed}, and where it is no JSON
 */
export function readNamedJson(path: string, about: About = {}): unknown {
  const text = readNamed(path, about).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { what = '', code = 'bad-file' } = about;
    const detail = (cause as Error).message.split('\n')[0];
    throw new GatewayError(code, `${what} ${path} is not JSON: ${detail}`.trimStart(), { cause });
  }
}

/**
 * Why a file that somebody named cannot be read: its path once, the reason in words.
 *
 * @param cause what the system threw
 * @example unreadable('a.csv', { code: 'ENOENT' }).message // 'cannot read a.csv: there is no such file'
 */
export function unreadable(path: string, cause: unknown, about: About = {}): GatewayError {
  return failed('read', path, REASONS, cause, about);
}

/**
 * Why a file that somebody named cannot be written.
 *
 * @example unwritable('x/a.csv', { code: 'ENOENT' }).message // 'cannot write x/a.csv: its folder is not there'
 */
export function unwritable(path: string, cause: unknown, about: About = {}): GatewayError {
  return failed('write', path, WRITING, cause, about);
}

function failed(
  verb: 'read' | 'write',
  path: string,
  reasons: Record<string, string>,
  cause: unknown,
  { what = '', code = 'bad-file', hint }: About,
): GatewayError {
  const error = cause as NodeJS.ErrnoException;
  const reason = error.code === undefined ? error.message : (reasons[error.code] ?? error.code);
  const name = `${what} ${path === '' ? "''" : path}`.trimStart();
  return new GatewayError(code, `cannot ${verb} ${name}: ${reason}`, {
    cause,
    ...(hint !== undefined && { hint }),
  });
}
