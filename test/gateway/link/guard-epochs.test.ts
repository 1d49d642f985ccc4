import { describe, expect, test } from 'vitest';
import { EVENT, pack } from '../../../device/core/messages.ts';
import { deviceSuite } from '../../support/device-suite.ts';
import { storedIn } from '../../support/link-store.ts';
import { cable, frameOf, secureDevice, secureLink, start } from '../../support/secure-link.ts';

/** Epochs and counters: what is new, and what is a repetition. */
describe.each(['ccm', 'mac'] as const)('a device with keys, under %s', (name) => {
  test('is heard, and told of it, once it has spoken under the epochs of both', async () => {
    const { clock, keys, line, suite, device, gateway } = await secureLink(name);
    await device.start();
    expect(gateway.store.hellos).toEqual([]);
    device.sample();
    await clock.advance(100);
    expect(gateway.store.hellos.map(({ id }) => id)).toEqual(['watch-1']);
    expect(gateway.suites).toEqual([name]);
    expect(gateway.store.stored.get(2)?.size).toBe(1);
    expect([device.state.up, device.state.acked]).toEqual([true, 1]);
    expect(keys.get('watch-1')).toMatchObject({
      ...{ epoch: 1, provenEpoch: 1, deviceEpoch: 2, port: 'cable' },
    });
    expect([suite.theirs, gateway.connection.stats().badFrames]).toEqual([1, 1]);
    expect(line.toGateway.length).toBeGreaterThan(2);
  });

  test('is not heard while it does not hear the gateway', async () => {
    const { clock, line, device, gateway } = await secureLink(name);
    line.gatewayEnd.faults = { drop: 1 };
    await device.start();
    await clock.advance(600_000);
    expect(gateway.store.hellos).toEqual([]);
    expect(line.toDevice.length).toBeGreaterThan(10);
  });

  test('nothing recorded is taken again, by whom it was meant for or by who came after', async () => {
    const { clock, keys, line, device, suite, gateway } = await secureLink(name);
    await device.start();
    for (let k = 0; k < 5; k++) device.sample();
    await clock.advance(100);
    gateway.connection.ask([2]);
    device.send(EVENT, [2, 4, 2950, 0]);
    gateway.connection.policy({ confidentOneIn: 3, uncertainBelow: 9, rawOneIn: 4 });
    await clock.advance(100);
    expect(device.state.policy).toEqual([3, 9, 4]);
    expect(gateway.store.events.length).toBe(1);
    const [toGateway, toDevice] = [[...line.toGateway], [...line.toDevice]];

    /** Everything that a gateway believes. */
    const believed = ({ store }: typeof gateway) =>
      JSON.stringify([
        ...[store.hellos, store.statuses, store.events, store.windows, store.gone],
        [...store.stored].map(([session, kept]) => [session, [...kept.keys()]]),
        store.wrong,
      ]);
    const before = believed(gateway);
    const heard = device.others.length;
    for (const bytes of toGateway) line.injectToGateway(bytes);
    for (const bytes of toDevice) line.injectToDevice(bytes);
    await clock.advance(2000);
    expect(believed(gateway)).toBe(before);
    expect(device.others.length).toBe(heard);

    await gateway.connection.close();
    const line2 = cable(clock);
    const later = await start(line2.gatewayEnd, clock, keys);
    const nothing = believed(later);
    for (let times = 0; times < 2; times++) {
      for (const bytes of toGateway) {
        line2.injectToGateway(bytes);
        await clock.advance(700);
      }
    }
    expect(believed(later)).toBe(nothing);
    expect(keys.get('watch-1')?.provenEpoch).toBe(1);
    // what it answers, if anything, says no more than 'who is it?', and opens on no device of before
    for (const bytes of line2.toDevice) line.injectToDevice(bytes);

    await device.stop();
    const rebooted = deviceSuite(name, suite.keys, 3);
    const again = secureDevice(line2.deviceEnd, clock, rebooted);
    line2.gatewayEnd.faults = { drop: 1 };
    await again.start();
    for (const bytes of [...toDevice, ...line2.toDevice]) line2.injectToDevice(bytes);
    await clock.advance(5000);
    expect([again.others, again.state.up, rebooted.theirs]).toEqual([[], false, 0]);

    // and all of that keeps nobody out
    line2.gatewayEnd.faults = {};
    again.sample();
    await clock.advance(30_000);
    expect([again.state.up, again.state.acked]).toEqual([true, 1]);
    expect(later.store.stored.get(3)?.size).toBe(1);
    await later.connection.close();
  });

  test('what was held back of an earlier boot is too late', async () => {
    const { clock, keys, line, device, suite, gateway } = await secureLink(name);
    await device.start();
    await clock.advance(100);
    line.deviceEnd.faults = { drop: 1 };
    device.sample();
    device.send(EVENT, [2, 4, 1, 0]);
    await clock.advance(10_000);
    const heldBack = [...line.toGateway];
    await device.stop();
    line.deviceEnd.faults = {};
    await secureDevice(line.deviceEnd, clock, deviceSuite(name, suite.keys, 3)).start();
    await clock.advance(1000);
    expect(gateway.store.hellos.map(({ session }) => session)).toEqual([2, 3]);
    const { epoch } = keys.get('watch-1')!;
    for (const bytes of heldBack) line.injectToGateway(bytes);
    await clock.advance(1000);
    expect([keys.get('watch-1')!.epoch, gateway.connection.stats().guard.suite]).toEqual([
      epoch,
      name,
    ]);
    expect([storedIn(gateway.store), gateway.store.events]).toEqual([0, []]);
    expect(gateway.store.hellos.length).toBe(2);
  });

  test('no bit of a frame can be changed, in either direction', async () => {
    const { clock, line, device, suite, gateway } = await secureLink(name);
    await device.start();
    await clock.advance(100);
    line.deviceEnd.faults = { drop: 1 };
    line.toGateway.length = 0;
    device.send(EVENT, [2, 4, 2950, 0]);
    const { up, down } = suite.keys;
    const event = pack(EVENT, [2, 4, 2950, 0]);
    const sealed = suite.seal(event); // its next frame
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = sealed.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      line.injectToGateway(frameOf(changed));
    }
    expect(gateway.store.events).toEqual([]);
    line.injectToGateway(frameOf(sealed));
    expect(gateway.store.events.length).toBe(1);
    // one key a direction: what the gateway said is nothing that a device could have said
    expect(Buffer.from(up).equals(down)).toBe(false);
    for (const bytes of line.toDevice) line.injectToGateway(bytes);
    expect(gateway.store.events.length).toBe(1);
  });

  test('goes on with a gateway that started again, though it has nothing to say', async () => {
    const { clock, keys, line, device, gateway } = await secureLink(name);
    await device.start();
    device.sample();
    await clock.advance(100);
    await gateway.connection.close();
    const later = await start(line.gatewayEnd, clock, keys);
    await line.gatewayEnd.open();
    await clock.advance(100);
    expect(later.store.hellos.map(({ id }) => id)).toEqual(['watch-1']);
    expect(keys.get('watch-1')).toMatchObject({ epoch: 2, provenEpoch: 2 });
  });

  test('is found again by gateways that could never tell it their epochs', async () => {
    const { clock, keys, line, device, gateway } = await secureLink(name);
    await device.start();
    await clock.advance(100);
    await gateway.connection.close();
    line.gatewayEnd.faults = { drop: 1 };
    for (let k = 0; k < 40; k++) {
      device.sample();
      const deaf = await start(line.gatewayEnd, clock, keys);
      await clock.advance(31_000);
      await deaf.connection.close();
    }
    expect(keys.get('watch-1')!.epoch).toBeGreaterThan(30);
    expect(keys.get('watch-1')!.provenEpoch).toBe(1);
    line.gatewayEnd.faults = {};
    const later = await start(line.gatewayEnd, clock, keys);
    await clock.advance(61_000);
    expect(later.store.stored.get(2)?.size).toBe(32); // its ring; the rest it had to drop
  });
});
