import { describe, expect, it } from 'vitest';
import { createRegimes } from '../../gateway/regimes.ts';
import { openStore } from '../../gateway/store/store.ts';
import { loadTask } from '../../gateway/task.ts';

const task = loadTask('gesture');

describe('createRegimes()', () => {
  it('begin() is taken back by withdraw(), over a restart too', () => {
    const store = openStore({ directory: ':memory:' });
    let regimes = createRegimes(store, task);
    expect(regimes.since('w1')).toBe(0);
    regimes.withdraw('w1');
    expect(regimes.since('w1')).toBe(0);
    regimes.begin('w1', 500);
    regimes.begin('w1', 900);
    expect(regimes.since('w1')).toBe(900);
    regimes = createRegimes(store, task, JSON.parse(JSON.stringify(regimes.state())));
    regimes.withdraw('w1');
    expect(regimes.since('w1')).toBe(500);
    // one alarm is taken back, not one after the other
    regimes.withdraw('w1');
    expect(regimes.since('w1')).toBe(500);
    expect(regimes.since('w2')).toBe(0);
    store.close();
  });
});
