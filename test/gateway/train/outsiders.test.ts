import { beforeAll, describe, expect, it } from 'vitest';
import type { LabelAudit } from '../../../gateway/train/label-audit.ts';
import type { QuantModel } from '../../../gateway/train/model.ts';
import { outsiders } from '../../../gateway/train/outsiders.ts';
import { type Example, trainRung } from '../../../gateway/train/rungs.ts';
import { twoPeople } from '../../support/people.ts';
import { quickTask } from '../../support/tasks.ts';

const task = quickTask();
const { ann, bob } = twoPeople(task, 12, 8);
let champion: QuantModel;
beforeAll(async () => {
  const data = { fresh: ann.learn, old: [], recent: [] };
  champion = (await trainRung('whole', task, null, data, { seed: 1 })).model;
});

/** Labels of some devices, all trusted so far; who is left after a look at one another. */
async function left(
  byDevice: Record<string, readonly Example[]>,
  settled: string[] = [],
): Promise<string[]> {
  const fresh = Object.values(byDevice).flat();
  const origins = Object.entries(byDevice).flatMap(([device, labels]) =>
    labels.map(() => ({ device, source: 'person' })),
  );
  const groups = Object.keys(byDevice).map((device) => ({
    ...{ name: `${device}, person`, labels: 9, supported: 0, contradicted: 0, distrusted: false },
  }));
  const audit: LabelAudit = {
    grounds: settled.map((device) => ({
      ...{ device, windows: 40, known: 1, knownSince: 1, inForce: true, sure: [] },
    })),
    ...{ inForce: false, verdicts: fresh.map(() => 'unknown'), groups },
    trusted: [...fresh.keys()],
  };
  const data = { fresh, old: [], recent: [] };
  const after = await outsiders({ task, data, origins, seed: 1 }, champion, audit);
  open = after.groups.filter(({ isOpen }) => isOpen === true).map(({ name }) => name);
  return [...new Set(after.trusted.map((i) => origins[i]!.device))];
}
/** Origins of that look who contradict one another, and nobody knows who is right. */
let open: string[] = [];

const part = (from: number): Example[] => bob.learn.filter((_, i) => i % 3 === from);
const renamed = (all: readonly Example[]): Example[] =>
  all.map((one) => ({ ...one, cls: (one.cls + 1) % task.classes.length }));

describe('outsiders()', () => {
  it('leaves everybody in who says what the others teach', async () => {
    expect(await left({ a: part(0), b: part(1), c: part(2) })).toEqual(['a', 'b', 'c']);
  });

  it('leaves out who names every class by another', async () => {
    const wrong = renamed(bob.test.slice(0, 16));
    expect(await left({ a: part(0), b: part(1), c: part(2), d: wrong })).toEqual(['a', 'b', 'c']);
  });

  it('leaves out most labels where too few others could confirm them', async () => {
    expect(await left({ a: bob.learn.slice(0, 4), b: part(1), c: bob.learn.slice(4, 7) })).toEqual([
      'a',
      'c',
    ]);
  });

  it('compares devices whose world has changed with one another, and the others likewise', async () => {
    const same = { a: ann.learn.slice(0, 18), b: ann.learn.slice(18, 36) };
    const all = { ...same, c: part(0), d: part(1) };
    expect(await left(all, ['a', 'b'])).toEqual(['a', 'b', 'c', 'd']);
    expect(await left({ ...all, d: renamed(part(1)) }, ['a', 'b'])).toEqual(['a', 'b']);
  });

  it('leaves out of two the one whom the champion contradicts more beyond doubt, else both', async () => {
    const all = [...bob.learn, ...ann.test.slice(0, 24)];
    const half = (from: number) => all.filter((_, i) => i % 2 === from);
    expect(await left({ a: half(0), b: renamed(half(1)) })).toEqual(['a']);
    expect(await left({ a: renamed(half(0)), b: half(1) })).toEqual(['b']);
    expect(open).toEqual([]);
    expect(await left({ a: part(0), b: renamed(part(1)) })).toEqual([]);
    expect(open).toEqual(['a, person', 'b, person']);
  });

  it('asks nothing of labels that come from one place alone', async () => {
    expect(await left({ a: renamed(part(0)) })).toEqual(['a']);
  });
});
