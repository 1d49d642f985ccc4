import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe('the repository', () => {
  it('keeps its import rules', () => {
    const out = execFileSync(
      'node_modules/.bin/depcruise',
      ['--config', '.dependency-cruiser.json', 'device', 'gateway', 'node-red-flows', 'test'],
      { encoding: 'utf8' },
    );
    expect(out).toContain('no dependency violations found');
  });

  it('names no path of one machine', () => {
    const files = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' })
      .split('\0')
      .filter((file) => /\.(ts|js|json|md|html|css|c)$/.test(file) && file !== 'package-lock.json');
    const path = /(^|[^\w.])\/(work|farm|root)\//;
    const hits = files.filter((file) => path.test(readFileSync(file, 'utf8')));
    expect(hits).toEqual([]);
  });
});
