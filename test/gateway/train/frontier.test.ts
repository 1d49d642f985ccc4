import { describe, expect, it } from 'vitest';
import { chooseSmallest, paretoOf, rankForHalving } from '../../../gateway/train/frontier.ts';

const point = (accuracy: number, bytes: number, macs = bytes) => ({ accuracy, bytes, macs });

describe('paretoOf()', () => {
  it('keeps what is better in one thing, and of equals both', () => {
    const points = [
      point(0.9, 700, 300),
      point(0.9, 700, 300),
      point(0.89, 800, 200),
      point(0.89, 800, 400),
      point(0.95, 900, 900),
      point(0.7, 650, 100),
      point(0.7, 650, 101),
    ];
    expect(paretoOf(points)).toEqual([true, true, true, false, true, true, false]);
  });
});

describe('rankForHalving()', () => {
  it('takes the frontier and the most accurate in turn, each point once', () => {
    // fronts: {4, 0, 1}, then {3}, then {2}; by accuracy: 4, 3, 2, 0, 1
    const points = [
      point(0.8, 500),
      point(0.5, 400),
      point(0.93, 1000),
      point(0.94, 950),
      point(0.95, 900),
    ];
    expect(rankForHalving(points)).toEqual([4, 3, 0, 2, 1]);
  });

  it('keeps a good net that chance puts behind the front, before a useless small one', () => {
    const points = [point(0.2, 100), point(0.3, 110), point(0.95, 900), point(0.949, 910)];
    expect(rankForHalving(points).slice(0, 2)).toEqual([2, 3]);
  });
});

describe('chooseSmallest()', () => {
  const points = [point(0.7, 400), point(0.9, 600), point(0.93, 900), point(0.95, 2000)];

  it('takes the smallest within one standard error of the best', () => {
    // √(0.95·0.05/100) is 0.022; Wilson's is a little more
    const few = chooseSmallest(points, 100, 0);
    expect(few.margin).toBeCloseTo(0.0266, 4);
    expect([few.index, few.best]).toEqual([2, 3]);
    expect(chooseSmallest(points, 400, 0).index).toBe(3);
    expect(chooseSmallest(points, 20, 0).index).toBe(1);
  });

  it("asks for the task's aim where it can be reached, and not where it cannot", () => {
    expect(chooseSmallest(points, 20, 0.92)).toMatchObject({ index: 2, threshold: 0.92 });
    const beyond = chooseSmallest(points, 20, 0.99);
    expect(beyond.index).toBe(1);
    expect(beyond.threshold).toBeLessThanOrEqual(0.9);
  });

  it('has a margin where the best makes no mistake', () => {
    const { index, margin } = chooseSmallest([point(0.99, 10), point(1, 20)], 50, 0);
    expect(margin).toBeCloseTo(1 / 51, 10);
    expect(index).toBe(0);
  });

  it('breaks ties by multiplications, then by accuracy', () => {
    const same = [point(0.95, 500, 300), point(0.945, 500, 200), point(0.95, 500, 200)];
    expect(chooseSmallest(same, 200, 0).index).toBe(2);
  });

  it('refuses to choose from nothing', () => {
    expect(() => chooseSmallest([], 10, 0.9)).toThrow(RangeError);
    expect(() => chooseSmallest(points, 0, 0.9)).toThrow(RangeError);
  });
});
