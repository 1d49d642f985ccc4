import { describe, expect, it } from 'vitest';
import { type Arithmetic, numbersLack } from '../../../device/nodemcu/numbers.ts';

const double: Arithmetic = {
  add: (a, b) => a + b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
};
const each = (
  whole: (value: number) => number,
  float: (value: number) => number = whole,
): Arithmetic => ({
  add: (a, b) => whole(a + b),
  multiply: (a, b) => whole(a * b),
  divide: (a, b) => float(a / b),
});
const wrap32 = (value: number): number => Number(BigInt.asIntN(32, BigInt(Math.trunc(value))));

/* Substitutes for firmwares: their arithmetic, in JavaScript. The real ones, where there are any, are
   tried in bundle.test.ts. */
const firmwares: Record<string, [Arithmetic, RegExp | '']> = {
  'Lua 5.1 with doubles': [double, ''],
  'Lua 5.3 with 64 bits': [double, ''],
  'Lua 5.1 with integers': [each(wrap32), /LUA_NUMBER_INTEGRAL/],
  'Lua 5.3 with integers of 32 bits and float': [each(wrap32, Math.fround), /LUA_NUMBER_64BITS/],
  'Lua 5.3 with integers of 32 bits and double': [each(wrap32, (v) => v), /LUA_NUMBER_INT64/],
  'Lua 5.3 with integers of 64 bits and float': [each((v) => v, Math.fround), /LUA_NUMBER_DOUBLE/],
  'floats of 32 bits alone': [each(Math.fround), /LUA_NUMBER_64BITS/],
};

describe('numbersLack()', () => {
  for (const [name, [arithmetic, expected]] of Object.entries(firmwares)) {
    it(`numbersLack() ${expected === '' ? 'finds nothing' : 'says what to build'} when it is ${name}`, () => {
      if (expected === '') expect(numbersLack(arithmetic)).toBe('');
      else expect(numbersLack(arithmetic)).toMatch(expected);
    });
  }
});
