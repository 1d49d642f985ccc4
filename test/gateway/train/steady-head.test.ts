import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import { loadTask, parseTask } from '../../../gateway/task.ts';
import { arrayGroups, arrayMembers } from '../../../gateway/train/array-members.ts';
import { createPredictor, encodeModel, type QuantModel } from '../../../gateway/train/model.ts';
import { trainRung } from '../../../gateway/train/rungs.ts';
import { fitSteadyHead } from '../../../gateway/train/steady-head.ts';

/** An array of two sensors with one figure each. */
const task = parseTask({
  ...loadTask('gas'),
  sensor: { ...loadTask('gas').sensor, axes: ['la', 'lb', 'ra', 'rb'] },
  classes: ['air', 'gas', 'smoke'],
  architecture: { layers: [{ type: 'dense', units: 3, activation: 'none' }], cut: 0 },
  recordings: {
    format: 'libsvm',
    spellings: {},
    array: { sensors: 2, kinds: [{ name: 'dr', floor: 1, full: 100 }] },
  },
});

/** Three classes; drift adds to every value and widens it. */
function windows(seed: number, drift: number) {
  const random = createRandom(seed);
  return Array.from({ length: 150 }, (_, s) => {
    const cls = s % 3;
    const at = [10 * cls, cls === 1 ? 12 : 0, 6 * cls, cls === 2 ? -9 : 3];
    const window = Int8Array.from(at, (value) =>
      Math.round((value + 1.5 * random.gaussian()) * (1 + drift / 40) + 2 * drift),
    );
    return { window, length: 1, cls };
  });
}

function share(model: QuantModel, of: ReturnType<typeof windows>): number {
  const predict = createPredictor(encodeModel(model));
  return of.filter(({ window, cls }) => predict(window, 1).cls === cls).length / of.length;
}

describe('fitSteadyHead()', () => {
  it('learns a head that the rung without labels brings to where the sensor drifted', async () => {
    const model = await fitSteadyHead(windows(1, 0), 3, arrayGroups(task));
    expect(share(model, windows(2, 0))).toBeGreaterThan(0.97);
    const drifted = windows(3, 14);
    expect(share(model, drifted)).toBeLessThan(0.7);
    const data = { fresh: [], old: [], recent: drifted };
    const aligned = await trainRung('pre', task, model, data, { seed: 1 });
    expect(share(aligned.model, windows(4, 14))).toBeGreaterThan(0.97);
  });
});

describe('arrayGroups()', () => {
  it('gives levels, ratios and both, as the window has them', () => {
    expect(arrayGroups(task)).toEqual([
      { name: 'levels', from: 0, to: 2 },
      { name: 'ratios', from: 2, to: 4 },
      { name: 'both', from: 0, to: 4 },
    ]);
    expect(() => arrayGroups(loadTask('gesture'))).toThrow(TypeError);
  });
});

describe('arrayMembers()', () => {
  it('names each member once, and gives it one way to learn', () => {
    const members = arrayMembers(task);
    expect(new Set(members.map(({ name }) => name)).size).toBe(members.length);
    for (const { kernel, shrinkage } of members) {
      expect((kernel === undefined) !== (shrinkage === undefined)).toBe(true);
    }
  });
});
