import { describe, expect, it } from 'vitest';
import { stepSize } from '../../../gateway/answers.ts';
import { machine, machineRecordings, remounted } from '../../../gateway/synthetic/machine.ts';
import { loadTask, parseTask, type Task } from '../../../gateway/task.ts';
import { createPredictor, encodeModel, type QuantModel } from '../../../gateway/train/model.ts';
import { outputOf } from '../../../gateway/train/quant-layer.ts';
import { RUNGS, trainRung } from '../../../gateway/train/rungs.ts';

const task = loadTask('motor-speed');
const mine = machine(1);
type Windows = ReturnType<typeof machineRecordings>;

/** The same task with a hidden layer from the beginning, frozen while the head is retrained. */
const hidden = parseTask({
  ...task,
  architecture: { layers: task.architecture.deeper, cut: 1 },
});

const train = (of: Task, fresh: Windows) =>
  trainRung('whole', of, null, { fresh, old: [], recent: [] }, { seed: 1 });

/** Mean absolute error in turns a minute, by the device's kernel. */
function errorOf(model: QuantModel, windows: Windows): number {
  const predict = createPredictor(encodeModel(model));
  const errors = windows.map(({ window, length, cls }) =>
    Math.abs(predict(window, length).cls - cls),
  );
  return (errors.reduce((a, b) => a + b, 0) / errors.length) * stepSize(task.target!);
}

describe('a model of a target', () => {
  it('measures as well as its peers, in int8', async () => {
    const learn = machineRecordings(task, mine, 600, 1);
    const test = machineRecordings(task, mine, 600, 2);
    const line = await train(task, learn);
    const net = await train(hidden, learn);
    // scikit-learn 1.9.1 on the same 27 features of the same windows, in floats: Ridge(alpha=1) 19.1,
    // RandomForestRegressor(300, random_state=1) 12.9; always the mean 458.7. A step is 8.
    expect(errorOf(line.model, test)).toBeLessThan(19.1 + 8 / 2);
    expect(errorOf(net.model, test)).toBeLessThan(19.1 + 2 * 8);
  });

  it('speaks in 256 steps whatever rung trained it, so that heads can be exchanged', async () => {
    const { model } = await train(hidden, machineRecordings(task, mine, 150, 1));
    const after = remounted(mine, 1);
    const fresh = machineRecordings(task, after, 60, 4);
    const data = { fresh, old: [], recent: fresh };
    const rest = machineRecordings(task, after, 300, 3);
    const before = errorOf(model, rest);
    for (const rung of RUNGS) {
      const { model: next, predictFloat } = await trainRung(rung, hidden, model, data, { seed: 1 });
      expect(outputOf(next.layers.at(-1)!)).toEqual({ scale: 1 / 16, zero: -128 });
      expect(errorOf(next, rest), rung).toBeLessThan(0.7 * before);
      const predict = createPredictor(encodeModel(next));
      const apart = rest.map(
        (w) => predictFloat(w.window, w.length) - predict(w.window, w.length).cls,
      );
      expect(Math.max(...apart.map(Math.abs)), rung).toBeLessThan(24);
      expect(predict(rest[0]!.window, 64).cls).toBe(predict(rest[0]!.window, 64).score);
    }
  });

  it('gives the one value that all its labels have', async () => {
    const same = machineRecordings(task, mine, 40, 1).map((one) => ({ ...one, cls: 200 }));
    for (const of of [task, hidden]) {
      const { model } = await train(of, same);
      const predict = createPredictor(encodeModel(model));
      for (const { window } of machineRecordings(task, mine, 20, 2)) {
        expect(Math.abs(predict(window, 64).cls - 200)).toBeLessThan(3);
      }
    }
  });

  it('throws RangeError without a label', async () => {
    await expect(train(task, [])).rejects.toThrow(RangeError);
  });
});
