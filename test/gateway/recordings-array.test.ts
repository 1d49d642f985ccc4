import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { arrayWindow } from '../../device/core/sensor-array.ts';
import { readRecordings } from '../../gateway/recordings.ts';
import { parseArrayLine } from '../../gateway/recordings-array.ts';
import { loadTask } from '../../gateway/task.ts';

const task = loadTask('gas');
const { kinds } = task.recordings.array!;
const real = join(import.meta.dirname, '../../../shared/data/gas-drift');

/** A line of the recordings: class, then 128 values that tell its places apart. */
function line(label: string, edit: (fields: string[]) => void = () => {}): string {
  const fields = values(label).map((value, i) => `${i + 1}:${value}`);
  edit(fields);
  return [label, ...fields].join(' ');
}

function values(label: string): number[] {
  return Array.from({ length: 128 }, (_, i) => (i + 1) * (i % 8 < 5 ? 1 : -1) + label.length / 8);
}

function folder(files: Record<string, string | Uint8Array>): string {
  const dir = mkdtempSync(join(tmpdir(), 'whetstone-array-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
  return dir;
}

describe('parseArrayLine()', () => {
  it("makes the window that the array's driver makes, and leaves a concentration out", () => {
    const window = arrayWindow(values('3'), kinds);
    expect(parseArrayLine(line('3'), task)).toEqual({ label: '3', length: 1, window });
    expect(parseArrayLine(`  ${line('3').replace('3 ', '3;50.0\t')} `, task)).toEqual({
      label: '3',
      length: 1,
      window,
    });
  });

  it('says why a line is no measurement', () => {
    const why = (text: string): unknown => parseArrayLine(text, task);
    expect(why('')).toBe("'' is no class");
    expect(why('1.5 1:2')).toBe("'1.5' is no class");
    expect(why(line('1', (f) => f.pop()))).toBe('127 values, 16 sensors need 128');
    for (const wrong of ['8:1', '7:', '7', '7:x', '7:1:2', '7:Infinity', '07:1']) {
      const text = line('1', (fields) => {
        fields[6] = wrong;
      });
      expect(why(text)).toBe(`'${wrong}' is not 7:VALUE`);
    }
  });

  it('refuses a task that has no array', () => {
    expect(() => parseArrayLine(line('1'), loadTask('gesture'))).toThrow(TypeError);
  });
});

describe('readRecordings()', () => {
  it("reads each file of the format 'libsvm' as somebody, packed or not", () => {
    const dir = folder({
      'b.dat.gz': gzipSync(`${line('1')}\n\n${line('6')}\n`),
      'a.dat': `${line('2')}\n2 1:5\n`,
      'notes.txt': 'nothing',
    });
    const { people, unusable, blank } = readRecordings(dir, task);
    expect(Object.keys(people)).toEqual(['a', 'b']);
    expect(people.b!.map(({ cls, line, length }) => [cls, line, length])).toEqual([
      [0, 1, 1],
      [5, 3, 1],
    ]);
    expect(people.b![0]!.window).toEqual(arrayWindow(values('1'), kinds));
    expect(blank).toBe(1);
    expect(unusable).toEqual([
      { file: join(dir, 'a.dat'), line: 2, reason: '1 values, 16 sensors need 128' },
    ]);
  });

  it('says what is wrong with a folder, a file and a batch without a class', () => {
    const broken = folder({ 'a.dat.gz': line('1') });
    expect(() => readRecordings(broken, task)).toThrow(/cannot read .*a\.dat\.gz/);
    expect(() => readRecordings(folder({ 'a.txt': line('1') }), task)).toThrow(/no recordings in/);
    expect(() => readRecordings(folder({ 'a.dat': line('1') }), task, ['a'])).toThrow(
      "'a' has no usable recording of ethylene, ammonia, acetaldehyde, acetone, toluene",
    );
    expect(() => readRecordings(folder({ 'a.dat': line('7') }), task)).toThrow("unknown label '7'");
  });

  it.skipIf(!existsSync(real))('reads the published recordings whole', () => {
    const { people, unusable } = readRecordings(real, task);
    const counts = Object.values(people).map((of) =>
      task.classes.map((_, cls) => of.filter((recording) => recording.cls === cls).length),
    );
    // Vergara et al. 2012, table 2, in the order of the classes
    expect(counts).toEqual([
      [90, 98, 83, 30, 70, 74],
      [164, 334, 100, 109, 532, 5],
      [365, 490, 216, 240, 275, 0],
      [64, 43, 12, 30, 12, 0],
      [28, 40, 20, 46, 63, 0],
      [514, 574, 110, 29, 606, 467],
    ]);
    expect(unusable).toEqual([]);
  });
});
