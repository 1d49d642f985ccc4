import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import { type Counts, createSeldom, MOST_SUBJECTS, OTHERS } from '../../gateway/seldom.ts';

const MINUTE_MS = 60_000;

function world() {
  const clock = virtualClock(0);
  const lines: [minute: number, subject: string, counts: Counts][] = [];
  const seldom = createSeldom(clock, (subject, counts) =>
    lines.push([clock.now() / MINUTE_MS, subject, counts]),
  );
  return { clock, lines, seldom };
}

describe('createSeldom()', () => {
  it('writes the first at once, then sums after one minute, two, four … and an hour at most', async () => {
    const { clock, lines, seldom } = world();
    for (let minute = 0; minute < 300; minute++) {
      seldom.note('a', 'x');
      await clock.advance(MINUTE_MS);
    }
    expect(lines.map(([minute]) => minute)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
    seldom.close();
    expect(lines.reduce((sum, [, , { x }]) => sum + x!, 0)).toBe(300);
  });

  it('writes at once again what has been quiet for an hour, and keeps no timer meanwhile', async () => {
    const { clock, lines, seldom } = world();
    seldom.note('a', 'x');
    await clock.advance(59 * MINUTE_MS);
    seldom.note('a', 'y');
    await clock.advance(60 * MINUTE_MS);
    seldom.note('a', 'x');
    seldom.note('a', 'z');
    expect(lines).toEqual([
      [0, 'a', { x: 1 }],
      [59, 'a', { y: 1 }],
      [119, 'a', { x: 1 }],
    ]);
    await clock.advance(MINUTE_MS);
    expect(lines[3]).toEqual([120, 'a', { z: 1 }]);
    seldom.close();
    expect(lines).toHaveLength(4);
  });

  it('has one line for all that are too many, and makes room after an hour', async () => {
    const { clock, lines, seldom } = world();
    for (let i = 0; i < 1000; i++) seldom.note(`a${i}`, 'x');
    await clock.advance(MINUTE_MS);
    const subjects = [...new Set(lines.map(([, subject]) => subject))];
    expect(subjects).toHaveLength(MOST_SUBJECTS + 1);
    expect(lines.filter(([, subject]) => subject === OTHERS)).toEqual([
      [0, OTHERS, { x: 1 }],
      [1, OTHERS, { x: 1000 - MOST_SUBJECTS - 1 }],
    ]);
    await clock.advance(120 * MINUTE_MS);
    seldom.note('b', 'x');
    expect(lines.at(-1)).toEqual([121, 'b', { x: 1 }]);
  });
});
