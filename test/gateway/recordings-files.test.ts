import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readRecordings } from '../../gateway/recordings.ts';
import { loadTask } from '../../gateway/task.ts';

const task = loadTask('gesture');
const program = join(import.meta.dirname, '../../gateway/recordings.ts');
const line = `${task.classes[0]}(1), 1,-2,3\n`;

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'whetstone-recordings-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'rec', 'ann'), { recursive: true });
  writeFileSync(join(dir, 'rec', 'ann', 'a.txt'), line);
  return dir;
}

describe('readRecordings()', () => {
  it('reads a person, a file and a folder that are links', () => {
    const dir = folder();
    const elsewhere = join(dir, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'b.txt'), line + line);
    writeFileSync(join(dir, 'one'), line);
    symlinkSync(elsewhere, join(dir, 'rec', 'bob'));
    symlinkSync(join(dir, 'one'), join(dir, 'rec', 'ann', 'linked.txt'));
    const { people } = readRecordings(join(dir, 'rec'), task);
    expect(Object.keys(people)).toEqual(['ann', 'bob']);
    expect([people.ann!.length, people.bob!.length]).toEqual([2, 2]);
  });

  it('passes over links that lead nowhere and a folder that is called like a file', () => {
    const dir = folder();
    symlinkSync(join(dir, 'nowhere'), join(dir, 'rec', 'bob'));
    symlinkSync(join(dir, 'nowhere.txt'), join(dir, 'rec', 'ann', 'gone.txt'));
    mkdirSync(join(dir, 'rec', 'ann', 'folder.txt'));
    const { people, unusable } = readRecordings(join(dir, 'rec'), task);
    expect(Object.keys(people)).toEqual(['ann']);
    expect([people.ann!.length, unusable.length]).toEqual([1, 0]);
  });

  // in a process of its own: one that reads a pipe never comes back
  it('passes over a pipe instead of waiting for it', () => {
    const dir = folder();
    execFileSync('mkfifo', [join(dir, 'rec', 'ann', 'pipe.txt')]);
    const script = `import { readRecordings } from ${JSON.stringify(program)};
      import { loadTask } from ${JSON.stringify(join(program, '../task.ts'))};
      const { people } = readRecordings(${JSON.stringify(join(dir, 'rec'))}, loadTask('gesture'));
      console.log(people.ann.length);`;
    const args = ['--input-type=module', '-e', script];
    const out = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 8000 });
    expect(out.trim()).toBe('1');
  });
});
