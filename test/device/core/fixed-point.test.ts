import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rescale } from '../../../device/core/arithmetic.ts';
import { expOfNegative, highProduct, reciprocalOf } from '../../../device/core/fixed-point.ts';
import {
  expOnNegative,
  highMul,
  multiplyBy,
  oneOverOnePlus,
} from '../../support/bigint-arithmetic.ts';

const MAX = 2 ** 31 - 1;
const int32 = fc.oneof(
  fc.integer(),
  fc.integer({ min: -70000, max: 70000 }),
  fc.constantFrom(MAX, -MAX, 2 ** 30, -(2 ** 30), 65536, -65536, 65535, 1, -1, 0),
);
const ALL = { numRuns: 20000 };

describe('highProduct()', () => {
  it('highProduct() equals gemmlowp on 64-bit integers', () => {
    fc.assert(
      fc.property(int32, int32, (a, b) => {
        fc.pre(a > -(2 ** 31) || b > -(2 ** 31));
        const expected = Number(highMul(BigInt(a), BigInt(b)));
        expect(highProduct(a, b) + 0).toBe(expected);
        expect(highProduct(b, a) + 0).toBe(expected);
      }),
      ALL,
    );
  });
});

describe('rescale()', () => {
  it('rescale() equals gemmlowp on 64-bit integers when shifts go either way', () => {
    const factor = fc.record({
      acc: int32,
      multiplier: fc.oneof(fc.integer({ min: 0, max: MAX }), fc.constantFrom(0, 2 ** 30, MAX)),
      shift: fc.integer({ min: -31, max: 30 }),
    });
    fc.assert(
      fc.property(factor, ({ acc, multiplier, shift }) => {
        // a left shift must leave acc in int32
        const x = shift > 0 ? Math.trunc(acc / 2 ** shift) : acc;
        const expected = multiplyBy(BigInt(x), { m: BigInt(multiplier), s: BigInt(shift) });
        expect(rescale(x, multiplier, shift) + 0).toBe(Number(expected));
      }),
      ALL,
    );
  });
});

describe('expOfNegative()', () => {
  for (const bits of [4, 5]) {
    it(`expOfNegative() equals gemmlowp on 64-bit integers when there are ${bits} integer bits`, () => {
      const edges = Array.from({ length: 31 }, (_, k) => -(2 ** k));
      const argument = fc.oneof(
        fc.integer({ min: -(2 ** 31), max: 0 }),
        fc.integer({ min: -(2 ** 24), max: 0 }),
        fc.constantFrom(0, ...edges, ...edges.map((edge) => edge - 1), ...edges.map((e) => e + 1)),
      );
      fc.assert(
        fc.property(argument, (a) => {
          const expected = Number(expOnNegative(BigInt(a), BigInt(bits)));
          expect(expOfNegative(a, bits)).toBe(expected);
        }),
        ALL,
      );
    });

    it(`expOfNegative() is near exp when there are ${bits} integer bits`, () => {
      for (let a = -(2 ** 31); a < 0; a += 9999991) {
        const exact = Math.exp(a / 2 ** (31 - bits)) * 2 ** 31;
        expect(Math.abs(expOfNegative(a, bits) - exact)).toBeLessThan(2000);
      }
    });
  }
});

describe('reciprocalOf()', () => {
  it('reciprocalOf() equals gemmlowp on 64-bit integers', () => {
    const argument = fc.oneof(
      fc.integer({ min: 0, max: MAX }),
      fc.constantFrom(0, 1, MAX, 2 ** 30),
    );
    fc.assert(
      fc.property(argument, (x) => {
        expect(reciprocalOf(x)).toBe(Number(oneOverOnePlus(BigInt(x))));
      }),
      ALL,
    );
  });

  it('reciprocalOf() is near 1 / (1 + x)', () => {
    for (let x = 0; x <= MAX; x += 9999991) {
      const exact = 2 ** 31 / (1 + x / 2 ** 31);
      expect(Math.abs(reciprocalOf(x) - exact)).toBeLessThan(20);
    }
  });
});
