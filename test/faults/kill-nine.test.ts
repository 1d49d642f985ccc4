import { describe, expect, it } from 'vitest';
import { canMount } from '../../gateway/bench/faults/kill/disk.ts';
import { runClock } from '../../gateway/bench/faults/kill/kill-clock.ts';
import { runDisk } from '../../gateway/bench/faults/kill/kill-disk.ts';
import type { Recovered } from '../../gateway/bench/faults/kill/recover.ts';
import { runKills, SHORT } from '../../gateway/bench/faults/kill.ts';
import { hasSocat, skippedSocat } from '../support/pty.ts';

const whole = {
  ...{ missing: 0, twice: 0, invented: 0, different: 0, foreign: 0, miscounted: 0, damage: 0 },
  ...{ unreleased: 0, mixed: 0, unsettled: 0, waiting: 0, damaged: 0, missingBetween: 0 },
};
const mounts = canMount();
const skippedDisk = mounts ? '' : ' (skipped: no disk can be mounted here)';

function check(result: Recovered, seed: number): void {
  console.log(`seed ${seed}: ${JSON.stringify(result)}`);
  expect(result).toMatchObject(whole);
  expect(result.rollouts['under way']).toBeUndefined();
  expect(result.stored).toBeGreaterThan(20);
}

describe.skipIf(!hasSocat)(`a gateway under load${skippedSocat}`, { timeout: 300_000 }, () => {
  it('loses no acknowledged window when it is killed at random moments', async () => {
    const result = await runKills(SHORT.kill);
    check(result, SHORT.kill.seed);
    expect(result.ends).toEqual([]);
    expect(result.rekeyed).toBe(1);
  });

  it('goes on where it was when its clock is set forward by years and back', async () => {
    const result = await runClock(SHORT.clock);
    check(result, SHORT.clock.seed);
    expect(result).toMatchObject({ stuck: 0, disordered: [], ends: [] });
  });

  it.skipIf(!mounts)(
    `acknowledges nothing that a full disk did not take${skippedDisk}`,
    async () => {
      const result = await runDisk('full', SHORT.disk);
      check(result, SHORT.disk.seed);
      expect(Math.max(...result.backMs)).toBeLessThan(Infinity);
    },
  );

  it.skipIf(!mounts)(`starts again when a disk that failed is mended${skippedDisk}`, async () => {
    const result = await runDisk('read-only', SHORT.disk);
    check(result, SHORT.disk.seed);
    expect(result.toldMeanwhile).toBe(0);
    expect(Math.max(...result.backMs)).toBeLessThan(Infinity);
  });
});
