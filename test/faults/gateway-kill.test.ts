import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startProcess } from '../../gateway/bench/faults/kill/gateway-process.ts';
import { openStore } from '../../gateway/store/store.ts';
import { temporary } from '../support/loop-world.ts';

describe('a gateway that is killed in the middle of its first rollout', () => {
  it('finishes it when it is started again', { timeout: 120_000 }, async () => {
    const dir = join(temporary(), 'data');
    const args = ['--virtual', '2', '--http-port', '0', '--data-dir', dir];
    const first = startProcess(...args);
    await first.says(/→ watch-\d: trial/);
    first.child.kill('SIGKILL');
    expect(await first.ended).toBeNull();

    const left = openStore({ directory: dir, readOnly: true });
    const [rollout] = left.states.rollouts();
    const before = left.counts().samples;
    left.close();
    expect(JSON.parse(rollout!.state).stage).toBe('canary');

    const second = startProcess(...args);
    await second.says('is done: 2 of 2 devices confirmed it');
    // watches that start again open sessions of their own: their windows are new, not repeats
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    const store = openStore({ directory: dir, readOnly: true });
    const rollouts = store.states.rollouts().map(({ state }) => JSON.parse(state));
    expect(rollouts.map(({ id, stage }) => [id, stage])).toEqual([[rollout!.id, 'settled']]);
    const runs = store.devices.list().map(({ release, state }) => [release, state]);
    expect(runs).toEqual([
      [1, 1],
      [1, 1],
    ]);
    const counts = store.counts();
    expect(counts.models).toBe(1);
    expect([counts.duplicates, counts.dropped]).toEqual([0, 0]);
    expect(counts.samples).toBeGreaterThanOrEqual(before + 6);
    store.close();
  });
});
