import { expect, it } from 'vitest';
import { labelRows } from '../../node-red-flows/src/label-rows.ts';

it('labelRows() refuses a line whose numbers are none, and keeps the others', () => {
  const good = { device: 'w1', session: 7, seq: 1, class: 'upup' };
  const { rows, refused } = labelRows([
    { ...good, trust: 'high' },
    { device: 'w1', time: Number.NaN, class: 'upup' },
    { ...good, trust: '0.5' },
    { ...good, session: 'x' },
  ]);
  expect(rows).toEqual([{ line: 3, device: 'w1', cls: 'upup', session: 7, seq: 1, trust: 0.5 }]);
  expect(refused).toEqual([
    { line: 1, reason: "trust 'high' is no number" },
    { line: 2, reason: 'time NaN is no time' },
    { line: 4, reason: 'session and seq are no whole numbers' },
  ]);
});
