import { describe, expect, it } from 'vitest';
import { fromSignal, scaleOf, toSignal } from '../../gateway/signal.ts';
import { loadTask } from '../../gateway/task.ts';

const gesture = loadTask('gesture');
const motor = loadTask('motor-health');
const gas = loadTask('gas');

describe('fromSignal()', () => {
  it.each([gesture, motor])('gives back every int8 that toSignal() wrote, of $name', (task) => {
    const { axes } = task.sensor;
    const raw = Int8Array.from({ length: task.window.samples * axes.length }, (_, i) => i * 7);
    const signal = JSON.parse(JSON.stringify(toSignal(raw, task.window.samples, task)));
    expect(signal).toMatchObject({ axes, unit: 'g', rateHz: task.sensor.rateHz });
    expect(fromSignal(signal.values, task)).toEqual({ values: raw, length: task.window.samples });
  });

  it('rounds a scale that is no power of two back to the same counts', () => {
    const task = { ...gesture, sensor: { ...gesture.sensor, countsPerG: 29 } };
    const raw = Int8Array.from({ length: 150 }, (_, i) => i - 75);
    const { values } = JSON.parse(JSON.stringify(toSignal(raw, 50, task)));
    expect(fromSignal(values, task).values).toEqual(raw);
  });

  it('pads a short gesture, and clamps what int8 cannot hold', () => {
    const { values, length } = fromSignal([[9, -9, 0.02]], gesture);
    expect([length, values.length]).toEqual([1, 150]);
    expect([...values.subarray(0, 4)]).toEqual([127, -128, 1, 0]);
  });

  it.each([
    [gesture, [], 'the window has 0 samples', '1 to 50 samples × 3 axes (x, y, z) in g'],
    [
      gesture,
      [
        [1, 2, 3],
        [1, 2],
      ],
      'sample 1 of the window has 2 values',
      '× 3 axes',
    ],
    [gesture, Array(51).fill([0, 0, 0]), 'the window has 51 samples', '1 to 50 samples'],
    [motor, Array(63).fill([0, 0, 0]), 'the window has 63 samples', 'takes 64 samples'],
    [gas, [[1]], 'sample 0 of the window has 1 values', '1 samples × 256 axes in counts'],
  ])('throws bad-window that says the shape: %#', (task, values, message, hint) => {
    const wanted = { code: 'bad-window', message, hint: expect.stringContaining(hint) };
    expect(() => fromSignal(values, task)).toThrow(expect.objectContaining(wanted));
  });
});

describe('scaleOf()', () => {
  it('is counts where the task says nothing of its scale', () => {
    expect(scaleOf(gas)).toEqual({ counts: 1, unit: 'counts' });
    expect(scaleOf(gesture)).toEqual({ counts: 32, unit: 'g' });
  });
});
