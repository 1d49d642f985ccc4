import { describe, expect, it } from 'vitest';
import { answersOf, toStep, toValue } from '../../gateway/answers.ts';
import { loadTask } from '../../gateway/task.ts';

const target = { name: 'level', unit: 'cm', min: -10, max: 41, tolerance: 1 };
const level = answersOf({ name: 'tank', kind: 'regression', classes: ['level'], target });
const gesture = answersOf(loadTask('gesture'));
const health = answersOf(loadTask('motor-health'));

describe('answersOf() a regression', () => {
  it('reads the answer in the score, in 256 steps of the range', () => {
    expect(level.count).toBe(256);
    expect(level.of({ cls: 0, score: 77 })).toBe(77);
    expect([toStep(-10, target), toStep(41, target), toStep(0.13, target)]).toEqual([0, 255, 51]);
    expect([toStep(-99, target), toStep(99, target)]).toEqual([0, 255]);
    expect(toValue(50, target)).toBeCloseTo(0, 12);
  });

  it('says values with their unit, and nothing of what is no step', () => {
    expect(level.say(51)).toBe('0.2 cm');
    expect([level.say(-1), level.say(256), level.say(1.5)]).toEqual([null, null, null]);
  });

  it('parses numbers of its range, and says what it takes for all else', () => {
    expect(level.parse(' 0.2 ')).toBe(51);
    expect(level.parse('-10')).toBe(0);
    for (const [text, problem] of [
      ['full', 'is no number'],
      ['  ', 'is no number'],
      ['41.1', 'is outside the range'],
      ['-11', 'is outside the range'],
    ] as const) {
      let caught: unknown;
      try {
        level.parse(text);
      } catch (error) {
        caught = error;
      }
      expect(caught).toMatchObject({ code: 'not-allowed', hint: 'it takes -10 to 41 cm' });
      expect((caught as Error).message).toContain(problem);
    }
  });

  it('is right within the tolerance, and half a step that writing it down may cost', () => {
    // a step is 0.2 cm: five steps are the tolerance
    expect([95, 105].map((said) => level.isRight(said, 100))).toEqual([true, true]);
    expect([94, 106, -1].map((said) => level.isRight(said, 100))).toEqual([false, false, false]);
  });

  it('groups by quarters of the range', () => {
    expect([0, 63, 64, 128, 255].map(level.group)).toEqual([0, 0, 1, 2, 3]);
    expect(level.groups[1]).toBe('2.8 to 15.5 cm');
  });

  it('watches how far values are from the ends, and judges no trial by them', () => {
    expect([0, 10, 128, 250].map((score) => level.watched({ cls: 0, score }))).toEqual([
      ...[0, 20, 254, 10],
    ]);
    expect(level.worth({ cls: 0, score: 200 })).toBe(0);
  });
});

describe('answersOf() classes', () => {
  it('reads class and margin as they travel', () => {
    expect(gesture.of({ cls: 3, score: 77 })).toBe(3);
    expect(gesture.watched({ cls: 3, score: 77 })).toBe(77);
    expect([gesture.say(3), gesture.say(6)]).toEqual(['waggle', null]);
    expect(gesture.parse('upup')).toBe(2);
    expect(() => gesture.parse('21')).toThrow("'21' is no class of task 'gesture'");
  });

  it('watches an anomaly as the lower side of the margin', () => {
    const of = (cls: number, score: number) => health.watched({ cls, score });
    expect([of(0, 255), of(0, 1), of(1, 1), of(1, 255)]).toEqual([255, 128, 127, 0]);
    expect(health.worth({ cls: 1, score: 100 })).toBe(77);
    expect(health.parse('anomaly')).toBe(1);
  });
});
