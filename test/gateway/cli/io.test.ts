import { describe, expect, it } from 'vitest';
import { colour, integer, progress, table } from '../../../gateway/cli/io.ts';
import { bare } from '../../../gateway/cli/models.ts';
import { capture } from './run.ts';

describe('table()', () => {
  it('puts numbers to the right and words to the left', () => {
    expect(
      table(
        ['name', 'n'],
        [
          ['a', '10'],
          ['longer', '-'],
        ],
      ),
    ).toBe('name     n\na       10\nlonger   -');
    expect(table(['name', 'n'], [['a', 'x1']])).toBe('name  n\na     x1');
    expect(table(['name', 'n'], [])).toBe('name  n');
  });
});

describe('integer()', () => {
  it('takes integers from its least one on', () => {
    expect(integer(3)('3')).toBe(3);
    expect(integer(-3)('-2')).toBe(-2);
    for (const text of ['2', '3.5', '1e3', '', 'x', '0x10']) {
      expect(() => integer(3)(text)).toThrow('It takes an integer from 3.');
    }
  });

  it('takes no integer above its largest', () => {
    expect(integer(0, 65535)('65535')).toBe(65535);
    expect(() => integer(0, 65535)('65536')).toThrow('It takes an integer from 0 to 65535.');
  });
});

describe('progress()', () => {
  it('writes one line for each tenth where there is no terminal', () => {
    const err = capture();
    const bar = progress({ out: capture(), err, status: 0 });
    for (const done of [0, 0.05, 0.34, 0.36, 0.3, 1]) bar.update(done, 'seed 1');
    bar.stop();
    expect(err.text).toBe('0 % seed 1\n30 % seed 1\n100 % seed 1\n');
  });

  it('draws a bar on a terminal and never writes to standard output', () => {
    const err = Object.assign(capture(true), { cursorTo() {}, clearLine() {} });
    const out = capture(true);
    const bar = progress({ out, err, status: 0 });
    bar.update(0.5, 'seed 1');
    bar.stop();
    expect(err.text).not.toBe('');
    expect(out.text).toBe('');
  });
});

describe('colour()', () => {
  it('leaves text alone where there is no terminal', () => {
    expect(colour({ out: capture(), err: capture(), status: 0 }, 'red', 'x')).toBe('x');
  });
});

describe('bare()', () => {
  it('takes the v away that people see', () => {
    expect(['v3f2a', '3f2a'].map(bare)).toEqual(['3f2a', '3f2a']);
  });

  it("throws GatewayError 'not-found' for what can be no version", () => {
    for (const text of ['vx', '3f2', 'V3F2A', 'vv3f2a', 'a'.repeat(65)]) {
      expect(() => bare(text)).toThrow(`'${text}' is no version: 4 to 64 hexadecimal digits`);
    }
  });
});
