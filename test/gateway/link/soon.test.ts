import { expect, test } from 'vitest';
import { soon } from '../../../gateway/link/soon.ts';
import { virtualClock } from '../../../gateway/link/virtual/clock.ts';

test('soon() calls all who asked, in their order, by one timer, and those who ask meanwhile by another', async () => {
  const clock = virtualClock(0);
  let timers = 0;
  const counting = {
    ...clock,
    setTimeout: (callback: () => void, ms: number) => {
      timers++;
      return clock.setTimeout(callback, ms);
    },
  };
  const told: string[] = [];
  soon(counting, () => told.push('a'));
  const takeBack = soon(counting, () => told.push('b'));
  soon(counting, () => {
    told.push('c');
    soon(counting, () => told.push('later'));
  });
  takeBack();
  expect([told, timers]).toEqual([[], 1]);
  await clock.advance(1);
  await clock.advance(1);
  expect([told, timers]).toEqual([['a', 'c', 'later'], 2]);
});

test('soon() keeps clocks apart', async () => {
  const [one, other] = [virtualClock(0), virtualClock(0)];
  const told: number[] = [];
  soon(one, () => told.push(1));
  soon(other, () => told.push(2));
  await other.advance(1);
  expect(told).toEqual([2]);
  await one.advance(1);
  expect(told).toEqual([2, 1]);
});
