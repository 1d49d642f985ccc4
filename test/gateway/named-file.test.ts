import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNamed, readNamedJson, unreadable, unwritable } from '../../gateway/named-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'read-'));
const file = join(folder, 'a.json');
writeFileSync(file, '{"a": 1}');

describe('readNamed()', () => {
  it('reads a file whole, up to as many bytes as it may have', () => {
    expect(readNamed(file, { mostBytes: 8 }).toString()).toBe('{"a": 1}');
    expect(() => readNamed(file, { mostBytes: 7 })).toThrow(
      `cannot read ${file}: it has 8 bytes, at most 7 are read`,
    );
  });

  it.each([
    ['is not there', '/nowhere/x', 'cannot read the key /nowhere/x: there is no such file'],
    ['has no folder', join(file, 'x'), `cannot read the key ${file}/x: there is no such file`],
    ['is a folder', folder, `cannot read the key ${folder}: it is a folder`],
    ['has no name', '', "cannot read the key '': there is no such file"],
  ])('names what %s once, and says why in words', (_, path, message) => {
    const read = () => readNamed(path, { what: 'the key', code: 'bad-tls', hint: 'look' });
    expect(read).toThrow(expect.objectContaining({ code: 'bad-tls', message, hint: 'look' }));
  });

  it('says of what it does not know the name that the system gives it', () => {
    const io = Object.assign(new Error('EIO: i/o error, read x'), { code: 'EIO' });
    expect(unreadable('x', io).line()).toBe('cannot read x: EIO');
    const denied = Object.assign(new Error('no'), { code: 'EACCES' });
    expect(unreadable('x', denied).message).toBe('cannot read x: this user may not read it');
  });
});

describe('unwritable()', () => {
  it('says why in words, and what to do', () => {
    const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    expect(unwritable('x', full, { what: 'backup', hint: 'elsewhere' }).line()).toBe(
      'cannot write backup x: the disk is full (elsewhere)',
    );
  });
});

describe('readNamedJson()', () => {
  it('reads a value, and says in one line where there is none', () => {
    expect(readNamedJson(file)).toEqual({ a: 1 });
    const broken = join(folder, 'b.json');
    writeFileSync(broken, '[1,\n');
    const about = { what: 'configuration', code: 'bad-config' } as const;
    expect(() => readNamedJson(broken, about)).toThrow(
      expect.objectContaining({
        code: 'bad-config',
        message: expect.stringMatching(/^configuration .*b\.json is not JSON: [^\n]+$/),
      }),
    );
  });
});
