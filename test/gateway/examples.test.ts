import { describe, expect, it } from 'vitest';
import * as io from '../../gateway/cli/io.ts';
import * as models from '../../gateway/cli/models.ts';
import * as recordings from '../../gateway/recordings.ts';
import * as sensor from '../../gateway/synthetic/sensor.ts';
import * as task from '../../gateway/task.ts';
import * as words from '../../gateway/ui/words.ts';
import { runExamples } from './train/examples.ts';

const modules: [string, Record<string, unknown>, number][] = [
  ['task.ts', task, 1],
  ['recordings.ts', { ...recordings, ...task }, 1],
  ['synthetic/sensor.ts', sensor, 2],
  ['cli/io.ts', io, 1],
  ['cli/models.ts', models, 1],
  ['ui/words.ts', words, 3],
];

describe('the examples in docstrings', () => {
  it.each(modules)('hold in %s', (path, exports, count) => {
    const url = new URL(`../../gateway/${path}`, import.meta.url);
    const examples = runExamples(url, exports);
    expect(examples).toHaveLength(count);
    for (const { actual, expected } of examples) expect(actual).toEqual(expected);
  });
});
