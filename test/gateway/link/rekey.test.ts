import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REKEY } from '../../../device/core/messages.ts';
import { startRekey, tickRekey } from '../../../gateway/link/rekey.ts';
import { seeded } from '../../../gateway/link/virtual/lossy-port.ts';
import { deviceSuite } from '../../support/device-suite.ts';
import { secureDevice, secureLink, start } from '../../support/secure-link.ts';

describe('tickRekey()', () => {
  test('says new keys under the old ones and under the new ones in turns, with back-off', () => {
    let rekey = startRekey(2, new Uint8Array(32), 1000);
    const said: [number, string][] = [];
    for (let now = 1000; now < 40_000; now += 500) {
      const step = tickRekey(rekey, now);
      rekey = step.rekey;
      for (const { bytes, under } of step.send) {
        expect(bytes[0]).toBe(REKEY);
        said.push([now, under ?? 'present']);
      }
    }
    expect(said).toEqual([
      [1000, 'present'],
      [2000, 'pending'],
      [4000, 'present'],
      [8000, 'pending'],
      [16_000, 'present'],
      [32_000, 'pending'],
    ]);
  });
});

describe('rotation', () => {
  test('replaces the keys of both sides, and nothing opens under the old ones', async () => {
    const { clock, keys, line, device, suite, gateway } = await secureLink('ccm');
    await device.start();
    device.sample();
    await clock.advance(100);
    const old = keys.get('watch-1')!.present;
    keys.rotate('watch-1');
    expect(keys.get('watch-1')).toMatchObject({
      present: { generation: 1 },
      pending: { generation: 2 },
    });
    gateway.connection.rekey();
    await clock.advance(100);
    const { present, pending } = keys.get('watch-1')!;
    expect([present.generation, pending, suite.keys.generation]).toEqual([2, null, 2]);
    expect(Buffer.from(present.up).equals(suite.keys.up)).toBe(true);
    expect(Buffer.from(present.down).equals(suite.keys.down)).toBe(true);
    expect(Buffer.from(present.up).equals(old.up)).toBe(false);
    expect(gateway.rekeyed).toEqual([['watch-1', 2]]);
    expect(gateway.store.statuses).toEqual([]); // a generation is no release
    device.sample();
    await clock.advance(100);
    expect(device.state.acked).toBe(2);
    const said = line.toDevice.length;
    await clock.advance(100_000);
    expect(line.toDevice.length).toBe(said);
    const thief = deviceSuite('ccm', old, 9);
    await device.stop();
    await secureDevice(line.deviceEnd, clock, thief).start();
    await clock.advance(60_000);
    expect([gateway.store.hellos.length, thief.theirs]).toEqual([2, 0]);
  });

  test('ends with the same keys on both sides, whatever the link does and whoever restarts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.constantFrom(0.1, 0.3, 0.5), async (seed, drop) => {
        const random = seeded(seed);
        const world = await secureLink('ccm');
        const { clock, keys, line } = world;
        let { device, suite, gateway } = world;
        const { store } = gateway;
        await device.start();
        await clock.advance(100);
        line.deviceEnd.faults = { drop, duplicate: drop };
        line.gatewayEnd.faults = { drop, duplicate: drop };
        let wanted = 1;
        for (let k = 0; k < 40; k++) {
          device.sample();
          await clock.advance(random() * 3000);
          if (random() < 0.15) {
            keys.rotate('watch-1');
            wanted = keys.get('watch-1')!.pending!.generation;
            gateway.connection.rekey();
          }
          if (random() < 0.1) {
            await device.stop(); // its keys are in its flash
            suite = deviceSuite('ccm', suite.keys, suite.epoch + 1);
            device = secureDevice(line.deviceEnd, clock, suite);
            await device.start();
          }
          if (random() < 0.1) {
            await gateway.connection.close();
            gateway = await start(line.gatewayEnd, clock, keys, store);
          }
        }
        line.deviceEnd.faults = {};
        line.gatewayEnd.faults = {};
        const seq = device.sample();
        await clock.advance(300_000);
        const { present, pending } = keys.get('watch-1')!;
        expect([present.generation, pending, suite.keys.generation]).toEqual([
          wanted,
          null,
          wanted,
        ]);
        expect([device.state.acked, store.wrong]).toEqual([seq, []]);
        expect(clock.waiting()).toBe(0);
        await gateway.connection.close();
      }),
      { numRuns: 60 },
    );
  });
});
