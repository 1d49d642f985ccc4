/** Arithmetic of the Lua that runs: handed in, so that no compiler reckons ahead with its own. */
export interface Arithmetic {
  add: (a: number, b: number) => number;
  multiply: (a: number, b: number) => number;
  divide: (a: number, b: number) => number;
}

/**
 * What a firmware's numbers lack for the kernel's arithmetic, which needs whole numbers up to 2^53
 * and quotients that are not whole.
 *
 * @param a see Arithmetic
 * @returns a sentence; empty where nothing is lacking
 * @example numbersLack({ add: (a, b) => a + b, multiply: (a, b) => a * b, divide: (a, b) => a / b }) // ''
 */
export function numbersLack(a: Arithmetic): string {
  if (a.divide(3, 2) === 1) {
    return 'its numbers are integers: build it without LUA_NUMBER_INTEGRAL';
  }
  const big = a.multiply(a.multiply(65536, 65536), 1048576); // 2^52
  const most = a.add(a.add(big, big), -1);
  const isWhole = a.divide(big, a.multiply(65536, 65536)) === 1048576;
  const isCounting = a.add(a.add(big, 1), -big) === 1;
  // A quotient is a float in Lua 5.3, whatever its parts are.
  const isExact = a.add(a.divide(most, 1), -big) === a.add(big, -1);
  return isWhole && isCounting && isExact
    ? ''
    : 'its numbers have 32 bits: build it with LUA_NUMBER_64BITS (ESP32: LUA_NUMBER_INT64 and LUA_NUMBER_DOUBLE), or with Lua 5.1';
}
