import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRecordings } from '../../gateway/recordings.ts';
import { loadTask } from '../../gateway/task.ts';
import { openTeacher, type TeacherSettings } from '../../gateway/teacher.ts';
import { sumsTeacher } from '../support/sums-teacher.ts';

const task = loadTask('gesture');
const folder = join(import.meta.dirname, '../../../shared/data/bangle-gestures');
const absent = existsSync(folder) ? '' : ' (skipped: no recordings)';
const settings = (change: Partial<TeacherSettings> = {}): TeacherSettings => ({
  ...{ name: 't', minConfidence: 0.9, scale: 1, layout: 'samples' },
  ...change,
});

const first = (...values: number[]) => ({ window: Int8Array.from(values) });

describe('openTeacher()', () => {
  it.skipIf(absent !== '').each([
    ['v11.quant', 'whetstone'],
    ['v11.noquant', 'litert'],
  ])(`names gestures as the authors' own %s does, run by %s${absent}`, async (file, runtime) => {
    const bytes = readFileSync(join(folder, `exports/${file}.tflite`));
    const teacher = await openTeacher(bytes, settings(), task);
    expect([teacher.runtime, teacher.givesProbabilities]).toEqual([runtime, false]);
    const recordings = readRecordings(join(folder, 'data'), task, ['conor-v2']).people['conor-v2']!;
    let right = 0;
    let labelled = 0;
    for (const { window, length, cls } of recordings) {
      const lesson = await teacher.look({ window: window.subarray(0, length * 3) });
      if (lesson.cls === null) continue;
      labelled++;
      if (lesson.cls === cls) right++;
    }
    teacher.close();
    // TensorFlow Lite itself names 219 of the 222 right (ai-edge-litert), sure or not
    expect(labelled).toBeGreaterThan(200);
    expect(right / labelled).toBeGreaterThan(0.98);
  });

  it.each(['samples', 'axes'] as const)(
    'gives an .onnx file the window by %s, scaled',
    async (layout) => {
      const bytes = sumsTeacher(layout);
      const teacher = await openTeacher(bytes, settings({ layout, scale: 0.25 }), task);
      expect([teacher.source, teacher.givesProbabilities]).toEqual(['teacher:t', false]);
      expect(teacher.runtime).toMatch(/^onnxruntime-(node|web)$/);
      // x = 10, y = 20, z = -30 → sums 2.5 10 -22.5 10 25 -45: class 4 by 15 logits
      const sure = await teacher.look(first(10, 20, -30));
      expect(sure).toMatchObject({ said: task.classes[4], cls: 4 });
      expect(sure.confidence).toBeCloseTo(1, 5);
      // y = 1 → 0.5 and 1.25 stand for e^0.5 and e^1.25 beside four of e^0
      const unsure = await teacher.look(first(0, 1));
      const share = Math.exp(1.25) / (Math.exp(0.5) + Math.exp(1.25) + 4);
      expect(unsure).toMatchObject({ said: task.classes[4], cls: null });
      expect(unsure.confidence).toBeCloseTo(share, 5);
      teacher.close();
    },
  );

  it('takes probabilities as they are', async () => {
    const teacher = await openTeacher(sumsTeacher('samples', 'Softmax'), settings(), task);
    expect(teacher.givesProbabilities).toBe(true);
    const { confidence } = await teacher.look(first(0, 1));
    const share = Math.exp(5) / (Math.exp(2) + Math.exp(5) + 4);
    expect(confidence).toBeCloseTo(share, 5);
    teacher.close();
  });

  it('gives no label where the teacher means no class of the task', async () => {
    const classes = ['upup', 'waggle', 'sneeze', 'clap2', 'cough', 'random'];
    const teacher = await openTeacher(sumsTeacher('samples'), settings({ classes }), task);
    expect(await teacher.look(first(0, 90))).toMatchObject({ said: 'cough', cls: null });
    // z = 90 → outputs 2 and 5
    expect(await teacher.look(first(0, 0, 90))).toMatchObject({ said: 'random', cls: 5 });
    teacher.close();
  });

  it.each([
    [
      'another window',
      { ...task, window: { ...task.window, samples: 40 } },
      {},
      /takes 150 values/,
    ],
    ['other classes', task, { classes: ['upup', 'waggle'] }, /6 outputs for 2 classes/],
  ])('throws bad-model for a file of %s', async (_, of, change, message) => {
    const opened = openTeacher(sumsTeacher('samples'), settings(change), of);
    await expect(opened).rejects.toMatchObject({
      ...{ code: 'bad-model', message: expect.stringMatching(message) },
    });
  });

  it('throws bad-model for what is no model', async () => {
    const opened = openTeacher(Buffer.from('device,class\n'), settings(), task);
    await expect(opened).rejects.toMatchObject({ code: 'bad-model' });
    const tflite = Buffer.from('\x1c\0\0\0TFL3 and nothing behind it');
    await expect(openTeacher(tflite, settings(), task)).rejects.toMatchObject({
      code: 'bad-model',
    });
  });
});
