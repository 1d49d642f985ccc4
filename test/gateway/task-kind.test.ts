import { describe, expect, it } from 'vitest';
import { loadTask, parseTask } from '../../gateway/task.ts';

const speed = JSON.parse(JSON.stringify(loadTask('motor-speed'))) as Record<string, unknown>;
const health = JSON.parse(JSON.stringify(loadTask('motor-health'))) as Record<string, unknown>;
const target = speed.target as object;

describe('parseTask() of a regression', () => {
  it('names its one answer, and has defaults that change no measured value', () => {
    const { classes, send, training, anomaly } = loadTask('motor-speed');
    expect(classes).toEqual(['speed']);
    expect(send.uncertainBelow).toBe(0);
    expect(training.augment).toMatchObject({ amplitude: 0, gain: 0, tempo: 0, noise: 0.005 });
    expect(anomaly).toBeUndefined();
    expect(parseTask(speed)).toEqual(loadTask('motor-speed')); // what is complete stays
  });

  it('keeps what the file says against those defaults', () => {
    const said = { ...speed, send: { uncertainBelow: 9 }, training: { augment: { gain: 0.2 } } };
    const { send, training } = parseTask(said);
    expect([send.uncertainBelow, training.augment.gain, training.augment.tempo]).toEqual([
      9, 0.2, 0,
    ]);
  });

  const two = { type: 'dense', units: 2, activation: 'none' };
  it.each([
    [{ ...speed, target: undefined }, "target is missing: kind 'regression' needs it"],
    [{ ...speed, classes: ['a', 'b'] }, "classes is not for kind 'regression': leave it out"],
    [{ ...speed, target: { ...target, min: 2520 } }, 'target.min must be less than target.max'],
    [{ ...speed, target: { ...target, tolerance: -1 } }, 'target.tolerance must be >= 0, is -1'],
    [{ ...speed, target: 7 }, 'classes'],
    [{ ...speed, training: 7 }, 'training must be object, is 7'],
    [{ ...speed, anomaly: {} }, "anomaly is not for kind 'regression'"],
    [
      { ...speed, architecture: { layers: [two], cut: 0 } },
      "architecture.layers[0] must be dense with 1 unit and activation 'none'",
    ],
    [{ ...speed, kind: 'clustering' }, 'kind must be one of classification, regression, anomaly'],
  ])('refuses %#', (task, problem) => {
    expect(() => parseTask(task)).toThrow(problem);
  });
});

describe('parseTask() of an anomaly task', () => {
  it('knows its two answers and its limits', () => {
    const { classes, anomaly } = loadTask('motor-health');
    expect(classes).toEqual(['normal', 'anomaly']);
    expect(anomaly).toEqual({ falseAlarm: 0.01, maxFalseAlarm: 0.05, minProbes: 0.5 });
    expect(parseTask({ ...health, anomaly: undefined }).anomaly).toEqual(anomaly);
  });

  const dense = (units: number, activation: string) => ({ type: 'dense', units, activation });
  it.each([
    [{ ...health, features: 'raw' }, "features 'raw' is not for kind 'anomaly'"],
    [{ ...health, target }, "target is not for kind 'anomaly'"],
    [
      { ...health, anomaly: { falseAlarm: 0.1, maxFalseAlarm: 0.05 } },
      'anomaly.falseAlarm must be at most anomaly.maxFalseAlarm',
    ],
    [{ ...health, anomaly: { falseAlarm: 0 } }, 'anomaly.falseAlarm must be > 0, is 0'],
    [
      { ...health, architecture: { layers: [dense(20, 'relu'), dense(2, 'none')], cut: 1 } },
      "architecture must be, for kind 'anomaly', a dense layer with 54 units (two a feature)",
    ],
    [
      { ...health, architecture: { layers: [dense(54, 'relu'), dense(2, 'none')], cut: 0 } },
      'then one with 2; cut 1',
    ],
  ])('refuses %#', (task, problem) => {
    expect(() => parseTask(task)).toThrow(problem);
  });
});

describe('parseTask() of a classification', () => {
  it('wants two classes, and neither target nor limits of alarms', () => {
    const gesture = loadTask('gesture');
    expect(() => parseTask({ ...gesture, target })).toThrow(
      "target is not for kind 'classification'",
    );
    const one = { type: 'dense', units: 1, activation: 'none' };
    const architecture = { layers: [one], cut: 0 };
    const recordings = {};
    expect(() => parseTask({ ...gesture, classes: ['up'], architecture, recordings })).toThrow(
      'classes must have at least 2 names',
    );
  });
});
