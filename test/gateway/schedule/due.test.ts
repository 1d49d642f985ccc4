import { describe, expect, it } from 'vitest';
import { nextDue } from '../../../gateway/schedule/due.ts';

const HOUR_MS = 3_600_000;
const local = (day: number, hour: number, minute = 0, ms = 0) =>
  new Date(2026, 0, day, hour, minute, 0, ms).getTime();

describe('nextDue()', () => {
  it('counts from the moment it is given', () => {
    expect(nextDue('every 90m', 7)).toBe(7 + 1.5 * HOUR_MS);
    expect(nextDue('every 24h', 7)).toBe(7 + 24 * HOUR_MS);
    expect(nextDue('every 7d', 7)).toBe(7 + 168 * HOUR_MS);
    expect(nextDue('', 7)).toBeNull();
  });

  it('gives the next such time of day, and never the moment itself', () => {
    expect(nextDue('at 03:05', local(5, 3, 4, 999))).toBe(local(5, 3, 5));
    expect(nextDue('at 03:05', local(5, 3, 5))).toBe(local(6, 3, 5));
    expect(nextDue('at 23:59', local(31, 23, 59, 1))).toBe(local(32, 23, 59));
    expect(nextDue('at 00:00', local(5, 12))).toBe(local(6, 0));
  });

  it('keeps to the time of day where clocks change', () => {
    for (const rule of ['at 02:30', 'at 03:00']) {
      let at = local(1, 12);
      for (let day = 0; day < 366; day++) {
        const later = nextDue(rule, at)!;
        expect(later).toBeGreaterThan(at);
        // a day is 23 to 25 hours, and an hour that is skipped comes as much later
        if (day > 0) expect(Math.abs(later - at - 24 * HOUR_MS)).toBeLessThanOrEqual(HOUR_MS);
        at = later;
      }
    }
  });

  it.each(['every 0h', 'every h', 'every 5s', 'at 24:00', 'at 3:00', 'daily', ' '])(
    'refuses %o',
    (rule) => {
      expect(() => nextDue(rule, 0)).toThrow(RangeError);
    },
  );
});
