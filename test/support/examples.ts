import { readFileSync } from 'node:fs';

/** One `@example expression // value` of a docstring, and what both sides come to. */
export interface Example {
  expression: string;
  actual: unknown;
  expected: unknown;
}

/**
 * Executes the one-line examples in a module's docstrings, with its exports in scope.
 *
 * @param file path of the module
 * @param exports what it exports
 * @returns the examples, each with what it gave and what it says
 */
export function runExamples(file: string, exports: Record<string, unknown>): Example[] {
  const names = Object.keys(exports);
  const values = Object.values(exports);
  const evaluate = (code: string): unknown =>
    new Function(...names, `'use strict'; return (${code});`)(...values);
  return [...readFileSync(file, 'utf8').matchAll(/ \* @example (.+?) \/\/ (.+)/g)].map(
    ([, expression, expected]) => ({
      expression,
      actual: evaluate(expression),
      expected: evaluate(expected),
    }),
  );
}
