import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../gateway/errors.ts';
import { MOST_AN_HOUR, MOST_AT_ONCE } from '../../../gateway/loop/chatter.ts';
import { createJournalWriter } from '../../../gateway/loop/journal-writer.ts';

function writer() {
  const disk = { full: false };
  const written: unknown[][] = [];
  const clock = { now: 5000 };
  const journal = {
    write(...entry: unknown[]) {
      if (disk.full) throw new GatewayError('disk-full', 'no room');
      written.push(entry);
    },
  };
  return { disk, written, clock, log: createJournalWriter(journal, () => clock.now) };
}

describe('createJournalWriter()', () => {
  it('write() writes once there is room, in order, with the time at which it happened', () => {
    const { disk, written, clock, log } = writer();
    disk.full = true;
    log.write('port.opened', 'a', {});
    clock.now = 6000;
    log.write('port.opened', 'b', { n: 2 });
    expect(written).toEqual([]);
    disk.full = false;
    clock.now = 7000;
    log.pay();
    expect(written).toEqual([
      ['port.opened', 'a', {}, 5000],
      ['port.opened', 'b', { n: 2 }, 6000],
    ]);
  });

  it('tell() leaves out what a device says too much, and says how much that was before it goes on', () => {
    const { written, clock, log } = writer();
    for (let k = 0; k < MOST_AT_ONCE + 3; k++) log.tell('device.event', 'noisy', { k });
    log.tell('device.event', 'calm', {});
    expect(written.length).toBe(MOST_AT_ONCE + 1);
    clock.now += 3_600_000 / MOST_AN_HOUR;
    expect(log.allows('noisy')).toBe(true);
    expect(log.allows('noisy')).toBe(false);
    expect(written.slice(-2)).toEqual([
      ['device.event', 'calm', {}, 5000],
      ['device.noisy', 'noisy', { entries: 3 }, clock.now],
    ]);
  });
});
