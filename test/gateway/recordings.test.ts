import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GatewayError } from '../../gateway/errors.ts';
import { parseLine, readRecordings } from '../../gateway/recordings.ts';
import { loadTask } from '../../gateway/task.ts';

const task = loadTask('gesture');
const real = join(import.meta.dirname, '../../../shared/data/bangle-gestures');
const oneOfEach = task.classes.map((label) => `${label}(1), 1,-2,3\n`).join('');

function folder(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'recordings-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect((error as GatewayError).code).toBe('bad-recordings');
    expect((error as GatewayError).line()).not.toContain('\n');
    return (error as GatewayError).line();
  }
  throw new Error('nothing was refused');
}

describe('readRecordings()', () => {
  it('lists what is unusable with file, line and reason', () => {
    const dir = folder({
      'ann/a.txt': [
        'Left hand, seated',
        '',
        'WAGGLE(2), 1,2,3,-128,127,0',
        'wraggle(3), 1,2,3,4,5,6,7,8',
        'waggle(1), 1,2,128',
        'waggle(1), 1,2,-',
        'waggle(1), 1,,2',
        `waggle(51), ${'1,'.repeat(152)}1`,
        'waggle(0),',
        'waggle(1',
        'snap(1), 1,2,3',
        '>',
      ].join('\r\n'),
    });
    const { people, unusable, ignored, blank } = readRecordings(dir, task);
    const file = join(dir, 'ann/a.txt');
    const window = new Int8Array(150);
    window.set([1, 2, 3, -128, 127, 0]);
    expect(people).toEqual({ ann: [{ cls: 3, length: 2, window, file, line: 3 }] });
    expect(ignored).toBe(1);
    expect(blank).toBe(1);
    expect(unusable.every((u) => u.file === file)).toBe(true);
    expect(unusable.map((u) => `${u.line}: ${u.reason}`)).toEqual([
      '1: a comment or a cut line: not label(n), x,y,z,…',
      '4: 8 values, 3 samples need 9',
      '5: value 128 is outside -128 to 127',
      "6: '-' is no integer",
      '7: a value is missing',
      '8: 51 samples, a window has at most 50',
      '9: no samples',
      '10: a comment or a cut line: not label(n), x,y,z,…',
      '12: a prompt',
    ]);
  });

  it('says the form of a line where a person has no usable one', () => {
    const dir = folder({ 'ann/a.txt': 'x;y;z\n1;2;3\n' });
    expect(refusal(() => readRecordings(dir, task, ['ann']))).toMatch(
      /^'ann' has no usable recording of swiperight, .*; a line is LABEL\(n\), x,y,z,… with n samples\)$/,
    );
  });

  it('finds people under DIR/data as well as under DIR', () => {
    for (const prefix of ['', 'data/']) {
      const dir = folder({ [`${prefix}ann/a.txt`]: oneOfEach, [`${prefix}bob/b.txt`]: oneOfEach });
      expect(Object.keys(readRecordings(dir, task).people)).toEqual(['ann', 'bob']);
      expect(Object.keys(readRecordings(dir, task, ['bob']).people)).toEqual(['bob']);
    }
  });

  it('stops at a label outside the task and says what to do', () => {
    const dir = folder({ 'ann/a.txt': `${oneOfEach}nod(1), 1,2,3\n` });
    const line = refusal(() => readRecordings(dir, task));
    expect(line).toContain(`${join(dir, 'ann/a.txt')}:7: unknown label 'nod'`);
    expect(line).toContain("recordings.ignore of task 'gesture'");
  });

  it('names who is there when a person is unknown', () => {
    const dir = folder({ 'ann/a.txt': oneOfEach });
    expect(refusal(() => readRecordings(dir, task, ['ann', 'eve']))).toMatch(
      /no recordings of 'eve' .*there are: ann/,
    );
  });

  it('names the classes that a named person lacks', () => {
    const dir = folder({ 'ann/a.txt': 'upup(1), 1,2,3\nwaggle(1), 1,2,3\n' });
    expect(refusal(() => readRecordings(dir, task, ['ann']))).toContain(
      'swiperight, swipeleft, clap2, random',
    );
    expect(readRecordings(dir, task).people.ann).toHaveLength(2);
  });

  it('says what a folder should hold when it is missing or empty', () => {
    const dir = folder({ 'ann/a.csv': oneOfEach });
    for (const path of [dir, join(dir, 'nothing')]) {
      expect(refusal(() => readRecordings(path, task))).toContain('DIR/PERSON/*.txt');
    }
  });

  it.skipIf(!existsSync(real))(
    `gives 947 windows of James and 222 of Conor${existsSync(real) ? '' : ' (skipped: no recordings)'}`,
    () => {
      const { people, unusable, ignored, blank } = readRecordings(real, task, [
        'james-v2',
        'conor-v2',
      ]);
      const counts = (name: string) =>
        task.classes.map((_, cls) => people[name].filter((r) => r.cls === cls).length);
      expect(counts('james-v2')).toEqual([191, 287, 166, 151, 133, 19]);
      expect(counts('conor-v2')).toEqual([37, 37, 37, 37, 37, 37]);
      expect(unusable).toHaveLength(12);
      expect([ignored, blank]).toEqual([130, 18]);
    },
  );
});

describe('parseLine()', () => {
  it('keeps label and true length beside the padded window', () => {
    const parsed = parseLine('upup(2), 1,2,3, 4,5,6', task);
    if (typeof parsed === 'string') throw new Error(parsed);
    expect(parsed.label).toBe('upup');
    expect(parsed.length).toBe(2);
    expect([...parsed.window.slice(0, 7)]).toEqual([1, 2, 3, 4, 5, 6, 0]);
    expect(parsed.window).toHaveLength(150);
  });
});
