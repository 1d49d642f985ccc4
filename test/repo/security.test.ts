import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STATUSES } from '../../device/core/messages.ts';
import { isRefusal } from '../../gateway/rollout/refusals.ts';

const root = join(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8');

describe('docs/security.md', () => {
  const text = read('security.md');
  const rows = text
    .slice(text.indexOf('## Attacks'), text.indexOf('## What is not protected'))
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) => line.split('|').map((cell) => cell.trim()));

  it('names a test that exists for every attack that something stands against', () => {
    expect(rows.length).toBeGreaterThan(30);
    for (const [, attack, stands, tests] of rows) {
      const named = [...(tests ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);
      if (!stands?.startsWith('nothing')) expect(named.length, attack).toBeGreaterThan(0);
      for (const name of named) expect([name, existsSync(join(root, name))]).toEqual([name, true]);
    }
  });

  it.each([
    ...[
      'arbitrary software',
      'rollback',
      'fast-forward',
      'freeze',
      'mix-and-match',
      'endless data',
    ],
    ...['extraneous', 'wrong software', 'partial bundle', 'drop-request', 'key compromise'],
    ...['eavesdropping', 'replay', 'spoofed device', 'spoofed gateway', 'injected samples'],
    ...['poisoned labels', 'stolen disk', 'audit tampering'],
    ...Array.from({ length: 10 }, (_, i) => `I${i + 1} `),
  ])('has a row for %s', (attack) => {
    expect(rows.some(([, name]) => name?.includes(attack))).toBe(true);
  });

  it('names every verb as it is', () => {
    const verbs = [...text.matchAll(/whetstone (\w+)/g)].map(([, verb]) => verb as string);
    const main = readFileSync(join(root, 'gateway/cli/main.ts'), 'utf8');
    const known = [...verbs].filter((verb) => verb !== 'log' && verb !== 'bench');
    for (const verb of known) expect(main).toMatch(new RegExp(`^ {2}${verb},$`, 'm'));
  });
});

describe('docs/update.md', () => {
  it('says of every refusal what follows', () => {
    const text = read('update.md');
    const names = Object.values(STATUSES).filter(isRefusal);
    for (const name of names) expect(text).toContain(`\`${name}\``);
  });
});
