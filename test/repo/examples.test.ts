import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runExamples } from '../support/examples.ts';

const root = join(import.meta.dirname, '../..');
const hasExample = (file: string): boolean =>
  / \* @example .+ \/\/ .+/.test(readFileSync(file, 'utf8'));
const files = ['device/**/*.ts', 'gateway/**/*.ts', 'node-red-flows/src/**/*.ts']
  .flatMap((pattern) => globSync(join(root, pattern)))
  .filter(hasExample)
  .map((file) => file.slice(root.length + 1))
  .sort();

/** What an example may use beside the exports of its own module. */
const helpers = await import('../../gateway/task.ts');

describe('the examples in docstrings', () => {
  it.each(files)('hold in %s', async (file) => {
    const path = join(root, file);
    const examples = runExamples(path, { ...helpers, ...(await import(path)) });
    expect(examples.length).toBeGreaterThan(0);
    for (const { expression, actual, expected } of examples) {
      expect(actual, expression).toEqual(expected);
    }
  });
});
