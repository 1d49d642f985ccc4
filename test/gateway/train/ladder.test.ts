import { describe, expect, it } from 'vitest';
import type { EvidenceKind } from '../../../gateway/train/gate-report.ts';
import { outdoes } from '../../../gateway/train/ladder.ts';

/** 200 labels of two classes in turn. */
const labels = Array.from({ length: 200 }, (_, i) => i % 2);
const all = [...labels.keys()];
/** The newest 30 of each class, class by class. */
const newest = [0, 1].flatMap((cls) => all.filter((i) => labels[i] === cls).slice(70));

/** A rung that these labels judge, and that is wrong where it is said to be. */
const judged = (
  judges: readonly number[],
  isWrong: (label: number) => boolean,
  kind: EvidenceKind = 'held-out',
) => ({
  judges,
  evidence: {
    kind,
    truth: judges.map((i) => labels[i]!),
    champion: [],
    candidate: judges.map((i) => (isWrong(i) ? 1 - labels[i]! : labels[i]!)),
    device: [],
  },
});
const never = () => false;

describe('outdoes()', () => {
  it('wants more windows gained than lost, and hardly by chance', () => {
    const wrongIn = (n: number) => judged(newest, (i) => newest.indexOf(i) < n);
    expect(outdoes(judged(newest, never), wrongIn(4))).toBe(true); // mid-p 0.0625
    expect(outdoes(judged(newest, never), wrongIn(3))).toBe(false); // mid-p 0.125
    expect(outdoes(wrongIn(4), judged(newest, never))).toBe(false);
  });

  it('compares the same windows where one rung was judged by all labels, and the other by the newest', () => {
    expect(outdoes(judged(newest, never), judged(all, never))).toBe(false);
    expect(
      outdoes(
        judged(newest, (i) => i % 3 === 0),
        judged(all, never),
      ),
    ).toBe(false);
    expect(
      outdoes(
        judged(newest, never),
        judged(all, (i) => i >= 195),
      ),
    ).toBe(true);
    expect(
      outdoes(
        judged(newest, never),
        judged(all, (i) => i < 100),
      ),
    ).toBe(false);
  });

  it('takes no score on what taught a rung for a better one', () => {
    const own = judged(newest, never, 'resubstituted');
    expect(
      outdoes(
        own,
        judged(newest, () => true),
      ),
    ).toBe(false);
    expect(
      outdoes(
        own,
        judged(newest, () => true, 'resubstituted'),
      ),
    ).toBe(true);
  });
});
