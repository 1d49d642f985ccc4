import { describe, expect, test } from 'vitest';
import { classShare } from '../../../gateway/monitor/class-share.ts';
import { mulberry } from './streams.ts';

const even = [1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6];
const skewed = [0.5, 0.2, 0.15, 0.1, 0.04, 0.01];

/** Classes by their shares; a class stays for another window with probability `stays`. */
function classes(shares: number[], stays: number, seed: number): () => number {
  const random = mulberry(seed);
  let cls = -1;
  return () => {
    if (cls >= 0 && random() < stays) return cls;
    let u = random();
    cls = shares.findIndex((share) => {
      u -= share;
      return u < 0;
    });
    if (cls < 0) cls = shares.length - 1;
    return cls;
  };
}

describe('classShare()', () => {
  test.each([
    ['even', even, 0],
    ['skewed', skewed, 0],
    ['in bouts of ten', even, 0.9],
    ['in bouts of fifty', skewed, 0.98],
    ['of two', [0.9, 0.1], 0],
  ] as const)('update() keeps its run length on classes %s', (_, shares, stays) => {
    let alarms = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const next = classes([...shares], stays, 31 * seed);
      const detector = classShare({ runLength: 1000 });
      for (let i = 0; i < 1000; i++) alarms += Number(detector.update(next()));
    }
    // 40 at the run length asked for; its bounds are cautious
    expect(alarms).toBeLessThan(20);
  });

  test('update() sees a stuck prediction, and says which and how long', () => {
    const delays: number[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      const next = classes(even, 0, seed);
      const detector = classShare({ runLength: 50_000 });
      for (let i = 0; i < 120; i++) detector.update(next());
      let n = 1;
      while (!detector.update(4) && n < 99) n++;
      delays.push(n);
      expect(detector.change).toMatchObject({ cls: 4, after: 1 });
      expect(Math.abs(detector.change!.age - n)).toBeLessThanOrEqual(3);
      expect(detector.change!.before).toBeLessThan(0.3);
    }
    expect(delays.sort((a, b) => a - b)[10]).toBeLessThanOrEqual(16);
  });

  test('update() does not take a long bout for a stuck prediction where bouts are long', () => {
    const next = classes(even, 0.98, 5);
    const detector = classShare({ runLength: 10_000 });
    for (let i = 0; i < 500; i++) detector.update(next());
    let seen = 0;
    for (let i = 0; i < 60; i++) seen += Number(detector.update(2));
    expect(seen).toBe(0);
  });

  test('state() carries everything over a restart', () => {
    const run = (restart: boolean) => {
      const next = classes(skewed, 0.3, 9);
      let detector = classShare();
      const alarms: number[] = [];
      for (let i = 0; i < 200; i++) {
        if (restart && i % 37 === 5) {
          detector = classShare({}, JSON.parse(JSON.stringify(detector.state())));
        }
        if (detector.update(i < 150 ? next() : 5)) alarms.push(i);
      }
      return alarms;
    };
    expect(run(false).length).toBeGreaterThan(0);
    expect(run(true)).toEqual(run(false));
  });

  test('update() refuses what is no class', () => {
    expect(() => classShare().update(-1)).toThrow(RangeError);
    expect(() => classShare().update(0.5)).toThrow(RangeError);
  });
});
