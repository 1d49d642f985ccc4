import { describe, expect, test } from 'vitest';
import { createChatter, MOST_AN_HOUR, MOST_AT_ONCE } from '../../../gateway/loop/chatter.ts';

const MINUTE_MS = 60_000;

describe('createChatter()', () => {
  test('allow() lets a device say much at once, little more in an hour, and counts the rest', () => {
    let now = 5;
    const chatter = createChatter(() => now);
    const said = (device: string, times: number) =>
      Array.from({ length: times }, () => chatter.allow(device)).filter((n) => n !== undefined);
    expect(said('a', MOST_AT_ONCE + 30)).toEqual(Array(MOST_AT_ONCE).fill(0));
    now += MINUTE_MS;
    expect(said('a', 30)).toEqual([30]);
    expect(said('b', 3)).toEqual([0, 0, 0]);
    now += 60 * MINUTE_MS;
    expect(said('a', 500)).toEqual([29, ...Array(MOST_AN_HOUR - 1).fill(0)]);
    now += 1000 * 60 * MINUTE_MS;
    expect(said('a', 500).length).toBe(MOST_AT_ONCE);
  });

  test('allow() is not deceived by new names', () => {
    const chatter = createChatter(() => 0);
    for (let n = 0; n < 5000; n++) chatter.allow(`name ${n}`);
    expect(chatter.allow('another name')).toBe(undefined);
    expect(chatter.allow('name 7')).toBe(0);
  });
});
