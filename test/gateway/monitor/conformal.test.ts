import { describe, expect, test } from 'vitest';
import { conformal } from '../../../gateway/monitor/conformal.ts';
import { mulberry, scores } from './streams.ts';

describe('conformal()', () => {
  test('keeps its promise on the mean run between false alarms', () => {
    // 60 streams of 1,000 with a promise of 1,000: at most 60 alarms are to be expected.
    let alarms = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const next = scores(mulberry(seed), 70, 40);
      const detector = conformal({ runLength: 1000 });
      for (let i = 0; i < 1000; i++) alarms += Number(detector.update(next()));
    }
    expect(alarms).toBeLessThanOrEqual(30);
    expect(alarms).toBeGreaterThan(0);
  });

  test('says nothing when scores rise', () => {
    const random = mulberry(2);
    const [low, high] = [scores(random, 60, 20), scores(random, 140, 20)];
    const detector = conformal();
    for (let i = 0; i < 400; i++) expect(detector.update(i < 200 ? low() : high())).toBe(false);
  });

  test('refuses what is no score', () => {
    expect(() => conformal().update(1.5)).toThrow(RangeError);
    expect(() => conformal().update(256)).toThrow(RangeError);
  });
});
