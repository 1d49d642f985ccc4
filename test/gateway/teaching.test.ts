import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openTeacher } from '../../gateway/teacher.ts';
import { startTeaching, teach } from '../../gateway/teaching.ts';
import { loopWorld, temporary } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { sumsTeacher } from '../support/sums-teacher.ts';
import { quickTask } from '../support/tasks.ts';

// all raw windows travel
const base = quickTask({ send: { confidentOneIn: 1, uncertainBelow: 255, rawOneIn: 1 } });
const people = twoPeople(base, 12, 8);
const fed = people.bob.test.slice(0, 6);
const settings = { name: 'sums', minConfidence: 0.9, scale: 1, layout: 'samples' } as const;

/** What the teacher should be sure of, by its definition: the class, or null. */
function taughtClass(window: Int8Array): number | null {
  const logits = base.classes.map((_, k) => (k + 1) * window[k % 3]!);
  const best = logits.indexOf(Math.max(...logits));
  const sum = logits.reduce((total, z) => total + Math.exp(z - logits[best]!), 0);
  return 1 / sum >= 0.9 ? best : null;
}

async function world(task = base) {
  const made = await loopWorld({ task, ids: ['w1'] });
  await made.step();
  await made.teach(people.ann.learn, people.ann.test);
  return made;
}

describe('teach()', () => {
  it('labels stored raw windows of a device, says how often it agrees with people, never outvotes them', async () => {
    const { gateway, store, loop, feed, step } = await world();
    await feed(fed);
    const windows = store.samples.find({ device: 'w1', withWindow: true });
    const expected = windows.map(({ window }) => taughtClass(window!));
    const sure = expected.filter((cls) => cls !== null).length;
    expect(sure).toBeGreaterThan(0);
    // a person contradicts the teacher in one window, and agrees in another
    const [one, two] = windows.filter((_, i) => expected[i] !== null);
    const wrong = (taughtClass(one!.window!)! + 1) % 6;
    for (const [id, cls] of [
      [one!.id, wrong],
      [two!.id, taughtClass(two!.window!)!],
    ] as const) {
      const truth = loop.truth({ sample: id, cls, source: 'person', trust: 1 });
      await step();
      await truth;
    }
    const teacher = await openTeacher(sumsTeacher(), settings, base);
    const options = { device: 'w1', limit: 1000, dryRun: true };
    const looked = await teach(gateway, teacher, options);
    expect(looked).toMatchObject({ seen: windows.length, labelled: sure, compared: 2, right: 1 });
    expect(looked.unsure).toBe(windows.length - sure);
    expect(store.labels.sources('gesture').map(({ source }) => source)).not.toContain(
      teacher.source,
    );
    const who = 'ann (labeller)';
    expect(await teach(gateway, teacher, { ...options, dryRun: false, who })).toEqual(looked);
    const [taught] = store.journal.find({ kind: 'label.imported', subject: 'teacher:sums' });
    expect(taught?.data).toMatchObject({ added: sure, who });
    windows.forEach(({ id }, i) => {
      const said = store.labels.of(id).find(({ source }) => source === 'teacher:sums');
      expect([said?.cls ?? null, said?.trust ?? null]).toEqual([
        ...[expected[i], expected[i] === null ? null : 0.7],
      ]);
    });
    expect(store.samples.get(one!.id)?.label).toMatchObject({ cls: wrong, source: 'person' });
    const again = await teach(gateway, teacher, { ...options, dryRun: false });
    expect(again.labelled).toBe(0);
    teacher.close();
  });
});

describe('startTeaching()', () => {
  it('labels raw windows as they come, with the source and trust of the task', async () => {
    const file = join(temporary(), 'sums.onnx');
    writeFileSync(file, sumsTeacher());
    const task = { ...base, labels: { ...base.labels, teachers: [{ ...settings, file }] } };
    const { gateway, store, feed, step } = await world(task);
    onTestFinished(await startTeaching(gateway));
    const before = store.samples.latest('w1', 1)[0]!.id;
    await feed(fed);
    for (let i = 0; i < 100 && store.waiting === 0; i++) await new Promise(setImmediate);
    await step();
    const windows = store.samples.find({ device: 'w1', afterId: before });
    expect(windows).toHaveLength(fed.length);
    const expected = windows.map(({ window }) => taughtClass(window!));
    expect(expected.some((cls) => cls !== null)).toBe(true);
    expect(windows.map(({ label }) => label?.cls ?? null)).toEqual(expected);
    const labels = windows.flatMap(({ label }) => label ?? []);
    expect(new Set(labels.map(({ source, trust }) => `${source} ${trust}`))).toEqual(
      new Set(['teacher:sums 0.7']),
    );
    // a model's word about a model is no truth
    expect(gateway.monitor.accuracy('w1').n).toBe(0);
  });

  it('throws bad-file for a teacher that is not there', async () => {
    const teachers = [{ ...settings, file: '/nowhere/t.onnx' }];
    const task = { ...base, labels: { ...base.labels, teachers } };
    const { gateway } = await loopWorld({ task, ids: [] });
    await expect(startTeaching(gateway)).rejects.toMatchObject({
      ...{
        code: 'bad-file',
        message: "cannot read teacher 'sums', /nowhere/t.onnx: there is no such file",
      },
    });
  });
});
