import { describe, expect, it } from 'vitest';
import { watchReadiness } from '../../gateway/readiness.ts';
import { openStore } from '../../gateway/store/store.ts';

describe('watchReadiness()', () => {
  it('is not ready while a port is not open, or the disk has no room', () => {
    const store = openStore({ directory: ':memory:' });
    let free = 1e9;
    const { look, close } = watchReadiness({ store }, () => free);
    expect(look()).toEqual({ ready: true, problems: [] });
    store.journal.write('port.waiting', '/dev/ttyACM0', { reason: 'not there' }, 1);
    expect(look()).toEqual({ ready: false, problems: ['port /dev/ttyACM0 is not open'] });
    store.journal.write('port.opened', '/dev/ttyACM0', {}, 2);
    expect(look().ready).toBe(true);
    free = 3e6;
    expect(look().problems).toEqual(['the disk is nearly full: 3 MB are left']);
    close();
  });

  it('says since when the disk takes nothing', () => {
    const store = openStore({ directory: ':memory:' });
    const full = { store: { ...store, fullSince: Date.UTC(2026, 0, 1) } };
    expect(watchReadiness(full, () => 1e9).look()).toEqual({
      ready: false,
      problems: ['since 2026-01-01T00:00:00.000Z the disk takes nothing: nothing is acknowledged'],
    });
  });
});
