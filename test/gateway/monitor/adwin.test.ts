import { describe, expect, test } from 'vitest';
import { adwin } from '../../../gateway/monitor/adwin.ts';
import { mulberry } from './streams.ts';

describe('adwin()', () => {
  test("keeps the window's mean and width by the paper's rules, and says what changed", () => {
    const detector = adwin({ clock: 1, as: 'paper' });
    const random = mulberry(3);
    for (let i = 0; i < 500; i++) detector.update(0.7 + 0.1 * random());
    expect(detector.width).toBe(500);
    expect(detector.mean).toBeCloseTo(0.75, 2);
    while (!detector.update(0.1 + 0.1 * random()));
    expect(detector.change?.before).toBeCloseTo(0.75, 1);
    expect(detector.width).toBe(detector.change?.width);
    for (let i = 0; i < 200; i++) detector.update(0.1 + 0.1 * random());
    expect(detector.mean).toBeCloseTo(0.15, 1);
  });

  test("forgets the whole window after a change by River's rules, and still says what changed", () => {
    const detector = adwin({ clock: 1 });
    const random = mulberry(3);
    for (let i = 0; i < 500; i++) detector.update(0.7 + 0.1 * random());
    while (!detector.update(0.1 + 0.1 * random()));
    expect(detector.width).toBe(0);
    expect(detector.mean).toBe(0);
    expect(detector.change?.before).toBeCloseTo(0.75, 1);
    expect(detector.change?.after).toBeLessThan(detector.change?.before as number);
  });

  test('remembers a long stream in few buckets, exactly in sum', () => {
    const detector = adwin();
    let sum = 0;
    const random = mulberry(9);
    for (let i = 0; i < 20_000; i++) {
      const x = Math.round(random() * 16) / 16;
      sum += x;
      detector.update(x);
    }
    const { rows, total } = detector.state();
    expect(total).toBe(sum);
    expect(rows.flatMap((row) => row.sums).length).toBeLessThan(6 * Math.log2(20_000));
  });

  test('refuses a delta that is no probability', () => {
    expect(() => adwin({ delta: 1 })).toThrow(RangeError);
  });
});
