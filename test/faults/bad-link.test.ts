import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ACK, HELLO } from '../../device/core/messages.ts';
import { runLink, SHORT } from '../../gateway/bench/faults/link.ts';
import { compose } from '../../gateway/compose.ts';
import { loadTask } from '../../gateway/task.ts';
import { steppedClock } from '../support/link-clock.ts';
import { hello, rawDevice } from '../support/raw-device.ts';

describe('a fleet on bad cables, both sides killed at random', () => {
  it('loses no acknowledged window, stores none twice, and runs what was released', {
    timeout: 300_000,
  }, async () => {
    const result = await runLink(SHORT);
    console.log(`seed ${SHORT.seed}: ${JSON.stringify(result)}`);
    expect(result).toMatchObject({
      ...{ missing: 0, twice: 0, invented: 0, different: 0, foreign: 0, miscounted: 0, damage: 0 },
      ...{ unreleased: 0, mixed: 0, unsettled: 0, gatewayKills: SHORT.kills },
      rekeying: 0,
    });
    expect(result.rollouts['under way']).toBeUndefined();
    expect(Math.min(result.linkMs, result.rolloutMs)).toBeGreaterThan(0);
    // it was bad enough to show something
    expect(result.deviceKills).toBeGreaterThanOrEqual(SHORT.kills);
    expect(Math.min(result.reported, result.unpowered)).toBeGreaterThan(0);
    expect(result.stored).toBeGreaterThan(100);
    expect(Math.min(result.rekeyed, result.forged)).toBeGreaterThan(0);
  });
});

describe('a gateway that starts again', () => {
  it('asks for a hello until one comes, also of a device that has nothing to say', async () => {
    const clock = steppedClock(1_000_000);
    const gateway = compose({
      ...{ task: loadTask('gesture'), directory: ':memory:', clock, automatic: false, seed: 1 },
    });
    onTestFinished(() => gateway.close());
    const device = rawDevice();
    await gateway.loop.attach(device.port);
    await clock.advance(10);
    expect(device.count(ACK)).toBe(1);
    await clock.advance(40_000); // what it asked was lost
    const asked = device.count(ACK);
    expect(asked).toBeGreaterThan(3);
    expect(device.heard.every(({ code, fields }) => code === ACK && fields[0] === 0)).toBe(true);
    device.say(HELLO, hello());
    await setImmediate();
    await clock.advance(100_000);
    expect(device.count(ACK)).toBe(asked);
  });
});
