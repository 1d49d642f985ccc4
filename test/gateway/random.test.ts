import { describe, expect, it } from 'vitest';
import * as module from '../../gateway/random.ts';

const { createRandom } = module;

describe('random', () => {
  it('uniform() gives the numbers of sfc32 when seeded as its C reference', () => {
    // PractRand's sfc32 in C: a = 123456789, b = 0, c = 5, counter = 1, twelve rounds discarded
    const reference = [
      4093977508, 3623821925, 2029102732, 3280142000, 2617342256, 2228399217, 2105430124, 974972031,
    ];
    const random = createRandom(123456789, 5);
    for (let i = 0; i < reference.length; i += 2) {
      const bits = (reference[i] >>> 5) * 2 ** 26 + (reference[i + 1] >>> 6);
      expect(random.uniform(0, 1)).toBe(bits / 2 ** 53);
    }
  });

  it('gaussian() has mean 0, deviation 1 and normal tails when drawn often', () => {
    const random = createRandom(3);
    const draws = Array.from({ length: 40_000 }, () => random.gaussian());
    const mean = draws.reduce((a, b) => a + b) / draws.length;
    const square = draws.reduce((a, b) => a + b * b, 0) / draws.length;
    const beyond2 = draws.filter((draw) => Math.abs(draw) > 2).length / draws.length;
    expect(mean).toBeCloseTo(0, 1);
    expect(square).toBeCloseTo(1, 1);
    expect(Math.abs(beyond2 - 0.0455)).toBeLessThan(0.004);
  });

  it('uniform() and integer() stay in their ranges and reach all of them', () => {
    const random = createRandom(11);
    const seen = new Set<number>();
    for (let i = 0; i < 1000; i++) {
      const value = random.uniform(-3, 5);
      expect(value).toBeGreaterThanOrEqual(-3);
      expect(value).toBeLessThan(5);
      seen.add(random.integer(7));
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('shuffle() gives each order as often when repeated', () => {
    const random = createRandom(5);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = random.shuffle([1, 2, 3]).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('createRandom() tells seeds and streams apart, beyond 32 bits too', () => {
    const first = (seed: number, stream?: number): number =>
      createRandom(seed, stream).uniform(0, 1);
    const all = [first(1), first(2), first(1, 1), first(1 + 2 ** 32), first(-1)];
    expect(new Set(all).size).toBe(5);
    expect(first(1)).toBe(first(1, 0));
  });

  it('createRandom() refuses what is no integer', () => {
    expect(() => createRandom(0.5)).toThrow(RangeError);
    expect(() => createRandom(1, Number.NaN)).toThrow(RangeError);
    expect(() => createRandom(1).integer(0)).toThrow(RangeError);
  });
});
