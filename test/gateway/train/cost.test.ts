import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../../gateway/board.ts';
import { costOf, untrained } from '../../../gateway/train/cost.ts';
import { encodeModel } from '../../../gateway/train/model.ts';
import { trainRung } from '../../../gateway/train/rungs.ts';
import { twoPeople } from '../../support/people.ts';
import { quickTask, rawTask } from '../../support/tasks.ts';

const lengths = ({ pre, backbone, head }: Record<'pre' | 'backbone' | 'head', Uint8Array>) => [
  pre.length,
  backbone.length,
  head.length,
];

describe('untrained()', () => {
  it.each([
    ['features and one layer', quickTask()],
    ['statistics', quickTask({ features: 'statistics' })],
    ['convolutions', rawTask(2)],
  ])('has the bytes of every part that a trained model has, of %s', async (_, task) => {
    const fresh = twoPeople(task, 6, 1).ann.learn;
    const { model } = await trainRung(
      'whole',
      task,
      null,
      { fresh, old: [], recent: [] },
      { seed: 1 },
    );
    expect(lengths(untrained(task).parts)).toEqual(lengths(encodeModel(model)));
    expect(untrained(task).model.layers.map(({ type }) => type)).toEqual(
      model.layers.map(({ type }) => type),
    );
  });
});

describe('costOf()', () => {
  const model = untrained(rawTask(2));

  it('multiplies what the profile of the board says', () => {
    // 25 steps of 8 filters of 5 × 3, a pool of 2 over 12 × 8, 96 values to 6 classes
    const macs = 25 * 8 * 15 + 12 * 8 * 2 + 96 * 6;
    const cost = costOf(loadBoard('banglejs2'), model);
    expect(cost.macs).toBe(macs);
    expect(cost.micros).toBeCloseTo((macs * 2.4) / 64, 10);
    // W · s: 3.3 mA at 3 V
    expect(cost.microjoules).toBeCloseTo(((macs * 2.4) / 64e6) * 3.3e-3 * 3 * 1e6, 10);
    expect(cost.ramBytes).toBeGreaterThanOrEqual(150 + 200);
  });

  it('says nothing of time and energy of a board without figures', () => {
    const cost = costOf(loadBoard('esp8266-nodemcu'), model);
    expect(cost).toMatchObject({ micros: null, microjoules: null });
    expect(cost.bytes).toBe(lengths(model.parts).reduce((a, b) => a + b));
  });
});
