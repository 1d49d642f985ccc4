import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { keyIdOf, makeStoreKey, readStoreKey } from '../../../gateway/store/store-key.ts';
import { temporary } from './support.ts';

const refused = expect.objectContaining({ code: 'store-key' });
function fileOf(content: string | Buffer, mode = 0o600): string {
  const path = join(temporary(), 'key');
  writeFileSync(path, content, { mode });
  return path;
}

describe('readStoreKey()', () => {
  // the last byte is no letter: a raw file is told from text
  const key = Buffer.concat([randomBytes(31), Buffer.of(200)]);
  test.each([
    ['raw', key],
    ['hexadecimal', `${key.toString('hex')}\n`],
    ['upper-case hexadecimal', key.toString('hex').toUpperCase()],
    ['base64', `${key.toString('base64')}\n`],
    ['base64url', key.toString('base64url')],
  ])('reads 32 bytes, %s', (_how, content) => {
    expect(Buffer.from(readStoreKey(fileOf(content), {})!.bytes)).toEqual(key);
  });

  test.each([
    ['31 bytes', key.subarray(1)],
    ['33 bytes', Buffer.concat([key, Buffer.of(10)])],
    ['half a key in hexadecimal', key.subarray(16).toString('hex')],
    ['a password of 32 letters', 'correct horse battery staple abc'],
    ['nothing', ''],
    ['63 digits', key.toString('hex').slice(1)],
  ])('refuses %s', (_what, content) => {
    expect(() => readStoreKey(fileOf(content), {})).toThrow(refused);
  });

  test.each([0o640, 0o604, 0o610])('refuses a file that others may use: %o', (mode) => {
    const path = fileOf(key, 0o600);
    chmodSync(path, mode);
    expect(() => readStoreKey(path, {})).toThrow(
      expect.objectContaining({ hint: `chmod 600 ${path}` }),
    );
  });

  test('refuses a file that is missing, and does not take another key instead', () => {
    const folder = temporary();
    writeFileSync(join(folder, 'whetstone-store-key'), key);
    const env = { CREDENTIALS_DIRECTORY: folder };
    expect(() => readStoreKey(join(folder, 'nothing'), env)).toThrow(refused);
  });

  test('takes the credential of systemd, whatever its mode, where no file is named', () => {
    const folder = temporary();
    expect(readStoreKey(undefined, { CREDENTIALS_DIRECTORY: folder })).toBeUndefined();
    expect(readStoreKey(undefined, {})).toBeUndefined();
    writeFileSync(join(folder, 'whetstone-store-key'), key.toString('hex'), { mode: 0o444 });
    const found = readStoreKey(undefined, { CREDENTIALS_DIRECTORY: folder });
    expect(Buffer.from(found!.bytes)).toEqual(key);
  });
});

describe('makeStoreKey()', () => {
  test('makes a key for this user alone, and never overwrites one', () => {
    const path = join(temporary(), 'key');
    const keyId = makeStoreKey(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(keyIdOf(readStoreKey(path, {})!.bytes)).toBe(keyId);
    const before = readFileSync(path);
    expect(() => makeStoreKey(path)).toThrow(refused);
    expect(readFileSync(path)).toEqual(before);
    const folder = join(temporary(), 'a');
    expect(() => makeStoreKey(join(folder, 'key'))).toThrow(refused);
    mkdirSync(folder);
    expect(makeStoreKey(join(folder, 'key'))).not.toBe(keyId);
  });
});
