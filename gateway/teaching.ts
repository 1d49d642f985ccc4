import type { Clock } from './link/port.ts';
import type { Loop } from './loop.ts';
import { readNamed } from './named-file.ts';
import { isModel } from './store/resolve.ts';
import type { Store } from './store/store.ts';
import type { Sample, SampleKey } from './store/types.ts';
import type { Task } from './task.ts';
import { openTeacher, type Teacher } from './teacher.ts';
import { trustOf } from './trust.ts';
import type { TeachView } from './views/label.ts';

export interface TeachOptions {
  device?: string;
  /** newest windows */
  limit: number;
  dryRun: boolean;
  /** whom the log names */
  who?: string;
}

interface Classroom {
  task: Task;
  store: Store;
  loop: Pick<Loop, 'labels' | 'truth' | 'onRaw'>;
}

/**
 * Lets a teacher label the newest raw windows that are stored; those that people labelled too, so that
 * one sees how good it is. What it says never outvotes them.
 *
 * @returns what it did; a second time it labels only what is new
 */
export async function teach(
  { task, store, loop }: Classroom,
  teacher: Teacher,
  { device, limit, dryRun, who }: TeachOptions,
): Promise<TeachView> {
  const samples = store.samples.find({
    ...{ task: task.name, withWindow: true, quarantined: false, order: 'newest', limit },
    ...(device !== undefined && { device }),
  });
  const { name, source, runtime } = teacher;
  const taught = { teacher: name, runtime, seen: samples.length, labelled: 0, unsure: 0 };
  const outcome: TeachView = { ...taught, foreign: 0, perClass: {}, compared: 0, right: 0 };
  const lessons: { sample: Sample; cls: number }[] = [];
  for (const sample of samples) {
    const { cls, said } = await teacher.look(sample);
    if (cls === null) {
      outcome[task.classes.includes(said) ? 'unsure' : 'foreign']++;
      continue;
    }
    lessons.push({ sample, cls });
    outcome.perClass[said] = (outcome.perClass[said] ?? 0) + 1;
    const { label } = sample;
    if (label === null || isModel(label.source)) continue;
    outcome.compared++;
    if (label.cls === cls) outcome.right++;
  }
  const rows = lessons.map(({ sample, cls }, i) => ({
    ...{ line: i + 1, device: sample.device, session: sample.session, seq: sample.seq },
    cls: task.classes[cls]!,
  }));
  const options = { source, withinMs: 0, dryRun, ...(who !== undefined && { who }) };
  outcome.labelled = (await loop.labels.addRows(rows, options)).added;
  return outcome;
}

/**
 * Lets the teachers of a task label raw windows as they come.
 *
 * @returns what ends it
 * @throws GatewayError 'bad-file' if a teacher's file cannot be read; whatever `openTeacher` says
 */
export async function startTeaching({
  task,
  store,
  loop,
  clock,
}: Classroom & { clock: Clock }): Promise<() => void> {
  const teachers: Teacher[] = [];
  for (const { file, ...settings } of task.labels.teachers) {
    const bytes = readNamed(file, { what: `teacher '${settings.name}',` });
    teachers.push(await openTeacher(bytes, settings, task));
  }
  if (teachers.length === 0) return () => {};
  const told = new Set<string>();

  async function see(key: SampleKey, teacher: Teacher): Promise<void> {
    const sample = store.samples.get(key);
    if (sample?.window == null) return;
    const { source } = teacher;
    try {
      const { cls } = await teacher.look(sample);
      if (cls === null) return;
      await loop.truth({ sample: sample.id, cls, source, trust: trustOf(task, source) });
    } catch (error) {
      // the window stays, and `labels teach` can label it when the cause is gone
      const reason = error instanceof Error ? error.message : String(error);
      if (told.has(reason)) return;
      told.add(reason);
      store.journal.write('label.untaught', teacher.source, { reason }, clock.now());
    }
  }

  const end = loop.onRaw((key) => {
    for (const teacher of teachers) void see(key, teacher);
  });
  return () => {
    end();
    for (const teacher of teachers) teacher.close();
  };
}
