import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadBoard, parseBoard } from '../../../../board.ts';
import { readConfig } from '../../../../config.ts';
import { GatewayError } from '../../../../errors.ts';
import { readLabelCsv } from '../../../../label-csv.ts';
import { readRecordings } from '../../../../recordings.ts';
import { loadTask, taskNames } from '../../../../task.ts';
import { tried } from '../refusal.ts';
import type { MakeTarget } from '../target.ts';
import { jsonMutators, lineMutators } from '../texts.ts';

const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** Lines as a person recorded them, comments and prompts among them. */
export const gestures: MakeTarget = async (directory) => {
  const task = loadTask('gesture');
  const folder = join(directory, 'data', 'ann');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'all.txt');
  const line = (label: string, n: number) =>
    `${label}(${n}), ${Array.from({ length: 3 * n }, (_, i) => ((i * 37) % 200) - 100).join(',')}`;
  const lines = task.classes.map((name, i) => line(name, 4 + i));
  return {
    corpus: [
      utf8(`${lines.join('\n')}\n`),
      utf8(`> go on\n# a comment\n${lines[0]}\r\n\r\n${lines[1]!.slice(0, 20)}\n`),
    ],
    mutators: lineMutators,
    take: (bytes) => {
      writeFileSync(file, bytes);
      return tried(() => {
        const { people } = readRecordings(directory, task);
        for (const { cls, length, window } of Object.values(people).flat()) {
          const whole = window.length === 150 && length > 0 && length <= 50;
          if (!whole || task.classes[cls] === undefined) throw new Error('a window that is none');
        }
      }, 'bad-recordings');
    },
  };
};

/** Batches of an array of sensors, plain and compressed. */
export const arrays: MakeTarget = async (directory) => {
  const task = loadTask('gas');
  const plain = join(directory, 'one.dat');
  const packed = join(directory, 'two.dat.gz');
  const { sensors, kinds } = task.recordings.array!;
  const perSensor = task.sensor.axes.length;
  const line = (cls: number) => {
    const values = Array.from({ length: sensors * 8 }, (_, i) => `${i + 1}:${(i * 997) % 5000}.25`);
    return `${cls} ${values.join(' ')}`;
  };
  const text = utf8(`${[1, 2, 3, 4, 5, 6].map(line).join('\n')}\n`);
  if (perSensor < kinds.length) throw new RangeError('the task has no array');
  return {
    corpus: [text, new Uint8Array(gzipSync(text))],
    mutators: lineMutators,
    take: (bytes) => {
      const isPacked = bytes[0] === 0x1f;
      writeFileSync(isPacked ? packed : plain, bytes);
      writeFileSync(isPacked ? plain : packed, isPacked ? text : gzipped);
      return tried(() => readRecordings(directory, task), 'bad-recordings');
    },
  };
};

const gzipped = gzipSync('');

/** Tables of labels. */
export const labels: MakeTarget = async () => ({
  corpus: [
    utf8('device,session,seq,class,source,trust\nw1,7,1,upup,ann,0.9\nw1,7,2,"down, down",,\n'),
    utf8(
      '\ufeffdevice,time,class\r\nw1,2026-01-02T03:04:05Z,upup\r\n\r\nw2,1700000000000,left\r\n',
    ),
  ],
  mutators: lineMutators,
  take: (bytes) => tried(() => readLabelCsv(Buffer.from(bytes).toString()), 'bad-file'),
});

const files = (names: readonly string[]): Uint8Array[] => names.map((value) => utf8(value));

/** Task files. */
export const tasks: MakeTarget = async (directory) => {
  const file = join(directory, 'task.json');
  return {
    corpus: files(taskNames().map((name) => JSON.stringify(loadTask(name), null, 1))),
    mutators: jsonMutators,
    take: (bytes) => {
      writeFileSync(file, bytes);
      return tried(() => loadTask(file), 'bad-task');
    },
  };
};

/** Profiles of boards. */
export const boards: MakeTarget = async () => ({
  corpus: files(['espruino-linux', 'puckjs'].map((name) => JSON.stringify(loadBoard(name)))),
  mutators: jsonMutators,
  take: (bytes) =>
    tried(() => {
      let value: unknown;
      try {
        value = JSON.parse(Buffer.from(bytes).toString());
      } catch (cause) {
        throw new GatewayError('bad-board', 'no JSON', { cause });
      }
      parseBoard(value);
    }, 'bad-board'),
});

/** Configuration files. */
export const configs: MakeTarget = async (directory) => {
  const file = join(directory, 'config.json');
  const config = {
    ...{ dataDir: './data', task: 'gesture', host: '127.0.0.1', port: 8080, serial: ['/dev/a'] },
    ...{ baud: 115200, virtual: 3, seed: 1, budget: {} },
  };
  return {
    corpus: files([JSON.stringify(config), '{}']),
    mutators: jsonMutators,
    take: (bytes) => {
      writeFileSync(file, bytes);
      return tried(() => readConfig(file), 'bad-config');
    },
  };
};
