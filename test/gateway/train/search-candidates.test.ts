import { describe, expect, it } from 'vitest';
import { loadTask, parseTask, type Task } from '../../../gateway/task.ts';
import { untrained } from '../../../gateway/train/cost.ts';
import { candidatesOf } from '../../../gateway/train/search-candidates.ts';

const task = loadTask('gesture');
const netOf = ({ features, architecture }: Task) => JSON.stringify([features, architecture.layers]);

describe('candidatesOf()', () => {
  it("begins with the task's own nets, and has none twice", () => {
    const all = candidatesOf(task);
    expect(all.slice(0, 2).map(({ name }) => name)).toEqual(['task (motion)', 'task, deeper']);
    expect(netOf(all[0]!.task)).toBe(netOf(task));
    expect(new Set(all.map((one) => netOf(one.task))).size).toBe(all.length);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });

  it('has only nets that a task may name and a part can hold', () => {
    for (const one of [task, loadTask('gas')]) {
      for (const { name, task: candidate } of candidatesOf(one)) {
        const { layers, cut } = parseTask(candidate, name).architecture;
        expect(cut, name).toBe(layers.length - 1);
        expect(untrained(candidate).parts.head.length, name).toBeGreaterThan(0);
      }
    }
  });

  it('has each set of features, widths as they are, and pruned ones', () => {
    const names = candidatesOf(task).map(({ name }) => name);
    for (const name of [
      'statistics linear',
      'motion 4',
      'motion 32→9',
      'statistics 32→3',
      'conv 16→6',
      'conv twice 16→9',
    ]) {
      expect(names).toContain(name);
    }
  });

  it('leaves out what the sensor or the window does not allow', () => {
    const axes = {
      ...task,
      sensor: { ...task.sensor, axes: ['x', 'y'] },
      features: 'statistics' as const,
    };
    const two = candidatesOf({
      ...axes,
      architecture: { layers: task.architecture.layers, cut: 0 },
    });
    expect(two.some((one) => one.task.features === 'motion')).toBe(false);
    const gas = candidatesOf(loadTask('gas'));
    expect(gas.every((one) => one.task.features === 'raw')).toBe(true);
    expect(
      gas.flatMap((one) => one.task.architecture.layers).every(({ type }) => type === 'dense'),
    ).toBe(true);
  });
});
