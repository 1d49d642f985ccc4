import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../gateway/errors.ts';
import { loadTask, parseTask, type Task, taskNames } from '../../gateway/task.ts';
import { TaskSchema } from '../../gateway/task-schema.ts';

const gesture = () => loadTask('gesture');

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).code).toBe('bad-task');
    return (error as GatewayError).line();
  }
  throw new Error('nothing was refused');
}

// biome-ignore lint/suspicious/noExplicitAny: these tests damage a task on purpose
function damaged(damage: (task: any) => void): string {
  const task = structuredClone(gesture());
  damage(task);
  return refusal(() => parseTask(task, 'my.json'));
}

describe('loadTask()', () => {
  it('gives the six classes of gesture', () => {
    expect(gesture().classes).toEqual([
      'swiperight',
      'swipeleft',
      'upup',
      'waggle',
      'clap2',
      'random',
    ]);
  });

  it('reads a file when given a path', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'task-')), 'mine.json');
    writeFileSync(path, JSON.stringify({ ...gesture(), name: 'mine' }));
    expect(loadTask(path).name).toBe('mine');
  });

  it('lists the tasks when the name is unknown', () => {
    const line = refusal(() => loadTask('gestures'));
    expect(line).toContain("no task named 'gestures'");
    expect(line).toContain('gesture');
  });

  it('says that a file is not JSON, or not there', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'task-')), 'mine.json');
    expect(refusal(() => loadTask(path))).toBe(
      `cannot read task file ${path}: there is no such file`,
    );
    writeFileSync(path, '{"name": ');
    expect(refusal(() => loadTask(path))).toContain('is not JSON');
  });
});

describe('taskNames()', () => {
  it('names every file so that loadTask() finds it under its own name', () => {
    expect(taskNames()).toContain('gesture');
    for (const name of taskNames()) expect(loadTask(name).name).toBe(name);
  });
});

describe('parseTask()', () => {
  it('says what a field is, and not the pattern that it has to match', () => {
    const line = damaged((task) => {
      task.schedule.time = 'every day';
    });
    expect(line).toContain("schedule.time is 'every 24h' (or m, d), or 'at 03:00' local time");
    expect(line).toContain('; not "every day"');
    expect(line).not.toContain('[1-9]');
    // a field without a description keeps the pattern
    const plain = damaged((task) => {
      task.classes[0] = 'Not Small';
    });
    expect(plain).toContain('classes[0] must match pattern');
  });

  it('fills in defaults and leaves its argument alone', () => {
    const { send, training, ...rest } = gesture();
    const given = { ...rest, training: { augment: training.augment, rehearsal: 0.25 } };
    const task = parseTask(given);
    expect(task.send).toEqual(send);
    expect(task.training).toEqual({ ...training, rehearsal: 0.25, minLabels: 6 });
    expect(Object.keys(given.training)).toEqual(['augment', 'rehearsal']);
    expect(given).not.toHaveProperty('send');
  });

  it.each<[string, (task: Record<string, never> & Task) => void, string]>([
    [
      'a wrong type',
      (t) => Object.assign(t.sensor, { rateHz: 'fast' }),
      'sensor.rateHz must be number, is "fast"',
    ],
    [
      'an unknown field',
      (t) => Object.assign(t.window, { sampels: 3 }),
      'window.sampels is not a field here; fields: mode, samples',
    ],
    ['a missing field', (t) => Reflect.deleteProperty(t.sensor, 'axes'), 'sensor.axes is missing'],
    [
      'an unknown layer',
      (t) => Object.assign(t.architecture.layers[0], { type: 'lstm' }),
      'architecture.layers[0].type must be one of dense, conv1d',
    ],
    [
      'an unknown word',
      (t) => Object.assign(t, { features: 'fft' }),
      'features must be one of raw, statistics, motion, is "fft"',
    ],
    [
      'a number out of range',
      (t) => Object.assign(t.rollout, { canaryShare: 1.5 }),
      'rollout.canaryShare must be <= 1, is 1.5',
    ],
    [
      'outputs that are not the classes',
      (t) => Object.assign(t.architecture.layers[0], { units: 5 }),
      'architecture.layers[0] must be dense with 6 units',
    ],
    [
      'a deeper net that does not end in the classes',
      (t) =>
        Object.assign(t.architecture, {
          deeper: [{ type: 'dense', units: 6, activation: 'relu' }],
        }),
      'architecture.deeper[0] must be dense with 6 units',
    ],
    [
      'a cut behind the last layer',
      (t) => Object.assign(t.architecture, { cut: 1 }),
      'architecture.cut must be less than 1',
    ],
    [
      'a last layer that is pruned',
      (t) => Object.assign(t.architecture.layers[0], { prunedFrom: 9 }),
      'architecture.layers[0].prunedFrom has no place in the last layer',
    ],
    [
      'a layer pruned from fewer units than are left',
      (t) => Object.assign(t.architecture.deeper![0]!, { prunedFrom: 15 }),
      'architecture.deeper[0].prunedFrom must be at least the 16 that are left',
    ],
    [
      'a convolution over features',
      (t) =>
        t.architecture.layers.unshift({
          type: 'conv1d',
          filters: 8,
          kernel: 5,
          stride: 2,
          padding: 'same',
          activation: 'relu',
        }),
      "architecture.layers[0] conv1d can only stand with features 'raw'",
    ],
    [
      'a spelling of nothing',
      (t) => Object.assign(t.recordings.spellings, { wagle: 'wagel' }),
      'recordings.spellings.wagle must be one of swiperight',
    ],
    [
      'sliding windows without a stride',
      (t) => Object.assign(t.window, { mode: 'sliding' }),
      "window.stride is missing: mode 'sliding' needs it",
    ],
    ['a shorter window than its least', (t) => Object.assign(t.window, { samples: 5 }), 'at most'],
    ['an ignored class', (t) => t.recordings.ignore.push('upup'), "names the class 'upup'"],
    ['an empty range', (t) => Object.assign(t.sensor, { min: 127 }), 'sensor.min must be less'],
  ])('refuses %s with its path', (_, damage, expected) => {
    const line = damaged(damage);
    expect(line).toContain('my.json: ');
    expect(line).toContain(expected);
    expect(line).not.toContain('\n');
  });

  it('refuses what is no object', () => {
    expect(refusal(() => parseTask([], 'my.json'))).toContain('the task must be object, is []');
  });
});

describe('TaskSchema', () => {
  it('describes every field', () => {
    const missing: string[] = [];
    const walk = (schema: Record<string, unknown>, path: string) => {
      for (const [key, field] of Object.entries((schema.properties ?? {}) as object)) {
        if (field.type === 'object' && field.properties) walk(field, `${path}.${key}`);
        else if (!field.description && field.const === undefined) missing.push(`${path}.${key}`);
      }
    };
    walk(TaskSchema as unknown as Record<string, unknown>, 'task');
    expect(missing).toEqual([]);
  });
});
