import { describe, expect, test } from 'vitest';
import { confidence, pooled, quality } from '../../../gateway/monitor/quality.ts';
import { mulberry } from './streams.ts';

const judged = (said: number, truth: number, score = 40) => ({
  ...{ said, truth, right: said === truth, score },
});

describe('quality()', () => {
  test('update() counts recall and precision of each class, and accuracy with its interval', () => {
    const counts = quality();
    for (const pair of [
      [0, 0],
      [0, 0],
      [0, 1],
      [1, 1],
      [2, 1],
    ]) {
      counts.update(judged(pair[0], pair[1]));
    }
    const { accuracy, labels, classes, low, high } = pooled([counts]);
    expect([accuracy, labels]).toEqual([0.6, 5]);
    expect(classes).toEqual([
      { cls: 0, recall: 1, precision: 2 / 3, truths: 2, saids: 3 },
      { cls: 1, recall: 1 / 3, precision: 1, truths: 3, saids: 1 },
      { cls: 2, recall: null, precision: 0, truths: 0, saids: 1 },
    ]);
    expect(low).toBeCloseTo(0.2307, 3);
    expect(high).toBeCloseTo(0.8824, 3);
  });

  test('update() forgets what left the window, exactly', () => {
    const random = mulberry(3);
    const counts = quality(20);
    const all = Array.from({ length: 90 }, () =>
      judged(Math.floor(3 * random()), Math.floor(3 * random()), Math.floor(256 * random())),
    );
    for (const one of all) counts.update(one);
    const fresh = quality(20);
    for (const one of all.slice(-20)) fresh.update(one);
    const [a, b] = [pooled([counts]), pooled([fresh])];
    expect(a.classes).toEqual(b.classes);
    expect(a.calibrationError).toBeCloseTo(b.calibrationError as number, 12);
    expect(a.labels).toBe(20);
  });

  test('state() carries everything over a restart', () => {
    const counts = quality(5);
    for (let i = 0; i < 9; i++) counts.update(judged(i % 3, i % 2, 30 * i));
    const again = quality(5, JSON.parse(JSON.stringify(counts.state())));
    counts.update(judged(1, 1, 9));
    again.update(judged(1, 1, 9));
    // sums that were added to and taken from lie a rounding apart
    const [a, b] = [pooled([again]), pooled([counts])];
    expect(a.classes).toEqual(b.classes);
    expect(a.calibrationError).toBeCloseTo(b.calibrationError as number, 12);
  });
});

describe('pooled()', () => {
  test('calibration error is 0 for a confidence that is kept, and the gap for one that is not', () => {
    const random = mulberry(8);
    const [honest, boastful] = [quality(20_000), quality(20_000)];
    for (let i = 0; i < 20_000; i++) {
      const score = Math.floor(64 * random());
      const right = random() < confidence(score);
      honest.update({ ...judged(0, 0, score), right });
      boastful.update({ ...judged(0, 0, 48), right: random() < 0.7 });
    }
    expect(pooled([honest]).calibrationError).toBeLessThan(0.02);
    expect(pooled([boastful]).calibrationError).toBeCloseTo(confidence(48) - 0.7, 1);
    const [bin] = pooled([boastful]).reliability;
    expect(bin.confidence).toBeCloseTo(confidence(48), 10);
    expect(bin.accuracy).toBeCloseTo(0.7, 1);
  });

  test('devices count by their labels, and nobody gives no figures', () => {
    const [a, b] = [quality(), quality()];
    for (let i = 0; i < 30; i++) a.update(judged(0, 0));
    for (let i = 0; i < 10; i++) b.update(judged(0, 1));
    expect(pooled([a, b]).accuracy).toBe(0.75);
    expect(pooled([])).toMatchObject({ labels: 0, accuracy: null, low: null, classes: [] });
  });
});
