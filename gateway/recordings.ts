import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { GatewayError } from './errors.ts';
import { readNamed } from './named-file.ts';
import { parseArrayLine } from './recordings-array.ts';
import type { Task } from './task.ts';

/** A compressed file that becomes larger is no recording: a kilobyte can say a megabyte of zeros. */
const MOST_BYTES = 2 ** 28;

/** One recorded window, as a device would have made it. */
export interface Recording {
  /** index in the task's classes */
  cls: number;
  /** true length in samples; what follows in `window` is zeros */
  length: number;
  /** int8, samples × axes values, zero-padded */
  window: Int8Array;
  /** where it stands; '' and 0 when it was made and not read */
  file: string;
  line: number;
}

/** A line that is no window, and why. */
export interface Unusable {
  file: string;
  line: number;
  reason: string;
}

/** What a folder of recordings holds. */
export interface Recordings {
  /** in the order of files (by name) and lines */
  people: Record<string, Recording[]>;
  unusable: Unusable[];
  /** windows whose label the task ignores */
  ignored: number;
  /** empty lines; too many to be worth listing */
  blank: number;
}

/**
 * Reads a folder of recordings as it is: comments, prompts, cut lines, several spellings.
 *
 * In the format 'gesture-lines' each person is a folder of `.txt` files, in `dir/data` or in `dir`; a
 * line is `label(n), x,y,z,x,y,z,…`. In the format 'libsvm' each file `NAME.dat`, or `NAME.dat.gz`, is
 * somebody: a batch of measurements; a line is `class index:value …`. A line that cannot be used is
 * listed with its place and reason and never guessed at.
 *
 * @param dir the folder
 * @param task says which labels there are, how they are spelled, and the window
 * @param people whose recordings to read; each must have every class. Without it everyone who is
 *   there, with the classes they happen to have
 * @returns the windows of each person
 * @throws GatewayError 'bad-recordings' if the folder or a person is missing, a label is unknown, or
 *   a named person has no window of a class
 */
export function readRecordings(dir: string, task: Task, people?: string[]): Recordings {
  const { root, files } = findFiles(dir, task);
  const there = Object.keys(files);
  const unknown = people?.find((name) => !there.includes(name));
  if (unknown !== undefined) {
    throw new GatewayError('bad-recordings', `no recordings of '${unknown}' in ${root}`, {
      hint: `there are: ${there.join(', ')}`,
    });
  }
  const result: Recordings = { people: {}, unusable: [], ignored: 0, blank: 0 };
  const labels = labelTable(task);
  for (const name of people === undefined ? there : [...new Set(people)]) {
    const recordings: Recording[] = [];
    for (const file of files[name]!) readFile(file, task, labels, recordings, result);
    result.people[name] = recordings;
    if (people !== undefined) requireClasses(name, recordings, task, root);
  }
  return result;
}

/** Where recordings lie in each format, how they are called and how a line is read. */
const FORMATS = {
  'gesture-lines': { each: 'PERSON/*.txt', filesIn: filesByFolder, parse: parseLine },
  libsvm: { each: 'NAME.dat or NAME.dat.gz', filesIn: filesByName, parse: parseArrayLine },
};

/** The files of each person, in the first folder that has any. */
function findFiles(dir: string, task: Task): { root: string; files: Record<string, string[]> } {
  const { each, filesIn } = FORMATS[task.recordings.format];
  for (const root of [join(dir, 'data'), dir]) {
    const files = filesIn(root);
    if (Object.values(files).some((of) => of.length > 0)) return { root, files };
  }
  const isFolder = statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true;
  const problem = isFolder ? `no recordings in ${dir}` : `there is no folder '${dir}'`;
  throw new GatewayError('bad-recordings', problem, {
    hint: `expected DIR/${each} or DIR/data/${each}`,
  });
}

function filesByFolder(root: string): Record<string, string[]> {
  const textFiles = (name: string): string[] =>
    list(join(root, name), false)
      .filter((file) => file.endsWith('.txt'))
      .map((file) => join(root, name, file));
  return Object.fromEntries(list(root, true).map((name) => [name, textFiles(name)]));
}

function filesByName(root: string): Record<string, string[]> {
  const files: Record<string, string[]> = {};
  for (const file of list(root, false)) {
    const name = /^(.+)\.dat(\.gz)?$/.exec(file)?.[1];
    if (name !== undefined) files[name] = [...(files[name] ?? []), join(root, file)];
  }
  return files;
}

/** Names in a folder, sorted; none where there is no such folder. */
function list(path: string, isFolder: boolean): string[] {
  try {
    return readdirSync(path)
      .filter((name) => {
        // a link counts as what it leads to; a pipe would be read for ever
        const found = statSync(join(path, name), { throwIfNoEntry: false });
        return isFolder ? found?.isDirectory() : found?.isFile();
      })
      .sort();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new GatewayError('bad-recordings', `cannot list ${path}: ${code}`, { cause });
  }
}

/** Spelling in lower case → index of the class, or null for what the task ignores. */
function labelTable(task: Task): Map<string, number | null> {
  const table = new Map<string, number | null>();
  for (const name of task.recordings.ignore) table.set(name.toLowerCase(), null);
  task.classes.forEach((name, cls) => {
    table.set(name.toLowerCase(), cls);
  });
  for (const [from, to] of Object.entries(task.recordings.spellings)) {
    const cls = task.classes.indexOf(to);
    table.set(from.toLowerCase(), cls < 0 ? null : cls);
  }
  return table;
}

function readFile(
  file: string,
  task: Task,
  labels: Map<string, number | null>,
  into: Recording[],
  result: Recordings,
): void {
  const bytes = readNamed(file, { code: 'bad-recordings' });
  let text: string;
  try {
    const plain = file.endsWith('.gz') ? gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes;
    text = plain.toString('utf8');
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    throw new GatewayError('bad-recordings', `cannot read ${file}: ${why}`, { cause });
  }
  const lines = text.split(/\r?\n/);
  if (lines[lines.length - 1] === '') lines.pop();
  lines.forEach((content, index) => {
    const line = index + 1;
    if (content.trim() === '') {
      result.blank++;
      return;
    }
    const parsed = FORMATS[task.recordings.format].parse(content, task);
    if (typeof parsed === 'string') {
      result.unusable.push({ file, line, reason: parsed });
      return;
    }
    const cls = labels.get(parsed.label.toLowerCase());
    if (cls === undefined) {
      throw new GatewayError('bad-recordings', `${file}:${line}: unknown label '${parsed.label}'`, {
        hint: `add it to classes, recordings.spellings or recordings.ignore of task '${task.name}'`,
      });
    }
    if (cls === null) result.ignored++;
    else into.push({ cls, length: parsed.length, window: parsed.window, file, line });
  });
}

/**
 * Reads one line of the format 'gesture-lines'.
 *
 * @param line without its line break
 * @param task gives axes, range and the longest window
 * @returns the label as it is written and the window, or the reason why there is none
 * @example parseLine('>', loadTask('gesture')) // 'a prompt'
 */
export function parseLine(
  line: string,
  task: Task,
): { label: string; length: number; window: Int8Array } | string {
  if (line.startsWith('>')) return 'a prompt';
  const match = /^\s*([A-Za-z0-9_-]+)\((\d+)\)\s*,?(.*)$/.exec(line);
  if (match === null) return 'a comment or a cut line: not label(n), x,y,z,…';
  const [, label, count, rest] = match;
  const length = Number(count);
  const axes = task.sensor.axes.length;
  const { samples } = task.window;
  if (length === 0) return 'no samples';
  if (length > samples) return `${length} samples, a window has at most ${samples}`;
  const fields = rest.split(',').map((field) => field.trim());
  const wrong = fields.find((field) => !/^-?\d+$/.test(field));
  if (wrong !== undefined) return wrong === '' ? 'a value is missing' : `'${wrong}' is no integer`;
  if (fields.length !== length * axes) {
    return `${fields.length} values, ${length} samples need ${length * axes}`;
  }
  const { min, max } = task.sensor;
  const window = new Int8Array(samples * axes);
  for (let i = 0; i < fields.length; i++) {
    const value = Number(fields[i]);
    if (value < min || value > max) return `value ${value} is outside ${min} to ${max}`;
    window[i] = value;
  }
  return { label, length, window };
}

function requireClasses(name: string, recordings: Recording[], task: Task, root: string): void {
  const empty = task.classes.filter((_, cls) => !recordings.some((r) => r.cls === cls));
  if (empty.length === 0) return;
  const line =
    task.recordings.format === 'libsvm'
      ? 'CLASS 1:VALUE 2:VALUE …'
      : `LABEL(n), ${task.sensor.axes.join(',')},… with n samples`;
  throw new GatewayError(
    'bad-recordings',
    `'${name}' has no usable recording of ${empty.join(', ')} in ${root}`,
    {
      hint: `record some, choose another person, or take the class out of the task; a line is ${line}`,
    },
  );
}
