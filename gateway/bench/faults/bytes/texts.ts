import type { Random } from '../../../random.ts';
import { type Mutator, pick, replaced } from './mutate.ts';

/*
 * Mutators of texts that know JSON, and lines of values.
 */

/** What a field may hold instead. */
const ODD: readonly unknown[] = [
  ...[null, true, '', ' ', 'x'.repeat(3000), '__proto__', '\u0000', '../../etc/passwd', '1e999'],
  ...[0, -0, -1, 1.5, 1e-320, 1e308, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53)],
  ...[[], {}, [[]], [null], { type: 'dense' }, ['a', 'a'], { constructor: {} }],
];
const KEYS = ['__proto__', 'constructor', 'toString', 'name', 'type', '0', ''];

type Json = Record<string, unknown> | unknown[];

function containers(value: unknown, found: Json[] = []): Json[] {
  if (typeof value !== 'object' || value === null) return found;
  found.push(value as Json);
  for (const inner of Object.values(value)) containers(inner, found);
  return found;
}

const changeJson = (container: Json, random: Random): void => {
  const keys = Object.keys(container);
  const key =
    keys.length === 0 || random.integer(8) === 0 ? pick(random, KEYS) : pick(random, keys);
  const target = container as Record<string, unknown>;
  const set = (value: unknown): void => {
    // as JSON.parse would: a field of that name, whatever it means to objects
    Object.defineProperty(target, key, {
      ...{ value, enumerable: true, configurable: true, writable: true },
    });
  };
  const kind = random.integer(8);
  if (kind === 0) delete target[key];
  else if (kind === 1) set([[[{ a: [target[key]] }]]]);
  else if (kind === 2) set([target[key], target[key]]);
  else if (kind === 3 && typeof target[key] === 'number') set(-target[key]);
  else if (kind === 4) set(Object.fromEntries(Object.entries(container)));
  else set(pick(random, ODD));
};

/** Mutators of JSON: values, keys, nesting, and the text itself. */
export const jsonMutators: readonly Mutator[] = [
  (bytes, random) => {
    try {
      const value: unknown = JSON.parse(Buffer.from(bytes).toString());
      const all = containers(value);
      if (all.length === 0) return bytes;
      changeJson(pick(random, all), random);
      return new Uint8Array(Buffer.from(JSON.stringify(value) ?? ''));
    } catch (error) {
      // no JSON any more, or nested deeper than can be followed: others change it as a text
      if (error instanceof SyntaxError || error instanceof RangeError) return bytes;
      throw error;
    }
  },
  token(/[-\w."]+|[[\]{},:]/g, [
    ...['{', '}', '[', ']', ',', ':', '"', 'null', '-', '1e999', '0x10', '\\u0000', '"__proto__"'],
    ...[nested(6), nested(300), nested(20_000)],
  ]),
];

/** Deeper than what calls itself can follow. */
function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

/** Mutators of lines of values. */
export const lineMutators: readonly Mutator[] = [
  token(/[^,\s:()"]+|[,\n:()"]/g, [
    ...[',', '\n', '"', '""', '(', ')', ':', ' ', '\r\n', '\t', '\u0000', '\ufeff', '-', '0', '-0'],
    ...['128', '-129', '99999999999999999999', '1e9', 'NaN', '0x7f', '१', 'x'.repeat(500), '>'],
  ]),
  token(/[^\n]*\n/g, ['\n', '>\n', '#\n', `${'1,'.repeat(2000)}\n`, '"\n', ',\n']),
];

/** Replaces, leaves out or doubles one token of a text. */
function token(pattern: RegExp, odd: readonly string[]): Mutator {
  return (bytes, random) => {
    const text = Buffer.from(bytes).toString('latin1');
    const found = [...text.matchAll(pattern)];
    if (found.length === 0) return bytes;
    const { 0: token, index } = pick(random, found);
    const by = pick(random, [
      '',
      token + token,
      pick(random, odd),
      pick(random, odd),
      pick(random, found)[0],
    ]);
    return replaced(bytes, index, token.length, new Uint8Array(Buffer.from(by)));
  };
}
