import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import {
  type Batch,
  elect,
  fitCommittee,
  fitMember,
  joined,
  type Member,
  shareRight,
} from '../../../gateway/train/committee.ts';

/** Two classes apart in feature 0; feature 1 tells them too, but turns over from batch to batch. */
function batch(seed: number, turned: boolean): Batch {
  const random = createRandom(seed);
  const n = 60;
  const labels = Int32Array.from({ length: n }, (_, s) => s % 2);
  const x = new Float32Array(n * 2);
  labels.forEach((label, s) => {
    x[2 * s] = 20 * label + 6 * random.gaussian();
    x[2 * s + 1] = 80 * (turned ? 1 - label : label) + random.gaussian();
  });
  return { x, n, features: 2, labels };
}

const steady: Member = { name: 'steady', from: 0, to: 1, shrinkage: 0.1 };
const turning: Member = { name: 'turning', from: 1, to: 2, shrinkage: 0.1 };
const bent: Member = { name: 'bent', from: 0, to: 1, kernel: { scale: 0.5, cost: 1 } };
const batches = [batch(1, false), batch(2, true), batch(3, true)];

describe('elect()', () => {
  it('keeps the better half by what each says of batches that it has not learned', () => {
    const { members, accuracy } = elect(batches, [turning, steady, bent], 2);
    expect(members.map(({ name }) => name).sort()).toEqual(['bent', 'steady']);
    expect(accuracy[0]).toBeLessThan(0.6);
    expect(Math.min(accuracy[1]!, accuracy[2]!)).toBeGreaterThan(0.9);
  });

  it('judges by no other batch than it is given, and remembers what it tried', () => {
    const tried = new Map<string, number>();
    const first = elect(batches.slice(0, 2), [turning, steady], 2, tried);
    expect([...tried.keys()]).toEqual(['turning 1', 'steady 1']);
    tried.set('turning 1', 1);
    tried.set('steady 1', 0);
    const again = elect(batches.slice(0, 2), [turning, steady], 2, tried);
    expect(first.members).toEqual([steady]);
    expect(again.members).toEqual([turning]);
  });

  it('refuses to judge by a single batch', () => {
    expect(() => elect(batches.slice(0, 1), [steady], 2)).toThrow(RangeError);
  });
});

describe('fitMember()', () => {
  it('gives scores that spread by 1 on what taught it, for each way to learn', () => {
    for (const member of [steady, bent]) {
      const scores = fitMember(member, batches[0]!, 2)(batches[0]!);
      let square = 0;
      for (let s = 0; s < 60; s++) square += ((scores[2 * s]! - scores[2 * s + 1]!) / 2) ** 2 / 60;
      expect(square).toBeCloseTo(1, 3);
    }
  });

  it('refuses a member without a way to learn', () => {
    expect(() => fitMember({ name: 'idle', from: 0, to: 1 }, batches[0]!, 2)).toThrow("'idle'");
  });
});

describe('fitCommittee()', () => {
  it('adds up what its members say', () => {
    const both = fitCommittee([steady, turning], batches[0]!, 2)(batches[1]!);
    const [a, b] = [steady, turning].map((one) => fitMember(one, batches[0]!, 2)(batches[1]!));
    both.forEach((sum, i) => {
      expect(sum).toBeCloseTo((a![i]! + b![i]!) / 2, 10);
    });
  });
});

describe('joined()', () => {
  it('puts batches one behind the other', () => {
    const all = joined(batches);
    expect([all.n, all.features, all.x.length, all.labels.length]).toEqual([180, 2, 360, 180]);
    expect(all.x.slice(120, 240)).toEqual(batches[1]!.x);
  });
});

describe('shareRight()', () => {
  it('counts rows whose greatest score is that of their class', () => {
    const scores = Float64Array.of(1, 3, 2, 5, 4, 0, -1, -2, -3);
    expect(shareRight(scores, Int32Array.of(1, 1, 0), 3)).toBeCloseTo(2 / 3, 12);
  });
});
