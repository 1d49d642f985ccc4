import { expect, it } from 'vitest';
import { kolmogorovSmirnov } from '../../../gateway/monitor/kolmogorov-smirnov.ts';
import { ksBank } from '../../../gateway/monitor/ks-bank.ts';
import { createRandom } from '../../../gateway/random.ts';

it.each([
  [4, 30, 20, 9, 1],
  [3, 7, 5, 2, -1],
  [2, 200, 180, 100, 1],
  // halves, and what is beyond an int8 at both ends
  [3, 30, 20, 40, 0.5],
  [2, 30, 20, 50, 11],
  [2, 30, 20, 50, -11],
])(
  'ksBank() of %d features is as many tests, also over restarts (%d, %d, %d values times %d)',
  (count, n, m, values, times) => {
    const random = createRandom(n);
    let bank = ksBank(count, n, m);
    // what is asked for one distance alone may let vectors wait; it is not asked from the beginning
    const asked = [0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 1.1].map((share) => ({
      share,
      bank: ksBank(count, n, m),
    }));
    const answers = new Set<boolean>();
    const tests = Array.from({ length: count }, () =>
      kolmogorovSmirnov({ reference: n, window: m, alpha: 0 }),
    );
    for (let step = 0; step < 3 * n + 5 * m; step++) {
      const moved = (i: number): number => (step > 2 * n && i === 1 ? 2 : 0);
      const x = tests.map((_, i) => 1 + times * (random.integer(values) + moved(i)));
      bank.update(x);
      for (const one of asked) one.bank.update(x);
      tests.forEach((test, i) => void test.update(x[i]!));
      expect(bank.state()).toEqual(tests.map((test) => test.state()));
      if (step >= n + m - 1) {
        const expected = tests.map((test) => test.comparison!);
        expect(bank.comparisons()).toEqual(expected);
        const farthest = Math.round(Math.max(...expected.map((one) => one.statistic)) * n * m);
        expect(bank.reaches(farthest)).toBe(true);
        expect(bank.reaches(farthest + 1)).toBe(false);
        for (const { share, bank: one } of step > n + 3 * m ? asked : []) {
          const reached = farthest >= share * n * m;
          expect(one.reaches(share * n * m)).toBe(reached);
          answers.add(reached);
        }
      }
      if (step % 17 === 0) bank = ksBank(count, n, m, JSON.parse(JSON.stringify(bank.state())));
      for (const one of step % 41 === 0 ? asked : []) {
        one.bank = ksBank(count, n, m, JSON.parse(JSON.stringify(one.bank.state())));
      }
    }
    expect(answers).toEqual(new Set([false, true]));
  },
);
