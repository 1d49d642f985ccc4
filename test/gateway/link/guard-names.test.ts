import { describe, expect, test } from 'vitest';
import { encodeFrame } from '../../../device/core/frame.ts';
import { EVENT, HELLO, pack, STATUS } from '../../../device/core/messages.ts';
import { none } from '../../../gateway/link/suites/none.ts';
import { deviceSuite } from '../../support/device-suite.ts';
import { steppedClock } from '../../support/link-clock.ts';
import { linkDevice } from '../../support/link-device.ts';
import { storedIn } from '../../support/link-store.ts';
import { hello } from '../../support/raw-device.ts';
import {
  cable,
  frameOf,
  keyStore,
  secureDevice,
  secureLink,
  start,
} from '../../support/secure-link.ts';

/** Keys and names: who is who on a port. */
describe.each(['ccm', 'mac'] as const)('a device with keys, under %s', (name) => {
  test('is refused under the name of another, and counted', async () => {
    const { clock, keys, line, suite, gateway } = await secureLink(name);
    keys.add('watch-2', { board: 'test', suite: name, at: 0 });
    const device = secureDevice(line.deviceEnd, clock, suite, { id: 'watch-2' });
    await device.start();
    await clock.advance(10_000);
    expect([gateway.store.hellos, device.state.up]).toEqual([[], false]);
    expect(gateway.connection.stats().guard.impostors).toBeGreaterThan(1);
    expect(gateway.refused[0]).toMatchObject({ why: 'impostor', device: 'watch-1' });
  });

  test('an impostor who has met the gateway honestly is refused too', async () => {
    const { clock, suite, device, gateway } = await secureLink(name);
    await device.start();
    await clock.advance(100);
    device.send(HELLO, hello({ id: 'watch-9', session: 2 }));
    await clock.advance(100);
    expect(gateway.store.hellos.map(({ id }) => id)).toEqual(['watch-1']);
    expect(gateway.connection.stats().guard.impostors).toBe(1);
    expect(suite.theirs).toBe(1);
  });

  test('another device on the same port is told apart, though its epoch and numbers are the same', async () => {
    const { clock, keys, line, device, gateway } = await secureLink(name);
    await device.start();
    device.sample();
    await clock.advance(100);
    const offered: number[] = [];
    const second = deviceSuite(name, keys.add('b', { board: 't', suite: name, at: 0 }).present, 2);
    const other = secureDevice(line.deviceEnd, clock, second, { id: 'b' });
    gateway.connection.confirm(7); // meant for the first
    await device.stop();
    other.onOther = ({ code }) => offered.push(code);
    await other.start();
    line.deviceEnd.faults = { drop: 1 }; // it learns the gateway's epoch, and its next hello is lost
    await clock.advance(100);
    line.injectToGateway(frameOf(second.seal(pack(STATUS, [1, 5, 0]))));
    expect(gateway.store.statuses).toEqual([]); // it is not the first one's
    line.deviceEnd.faults = {};
    for (let k = 0; k < 3; k++) other.sample();
    await clock.advance(5000);
    expect(gateway.store.hellos.map(({ id }) => id)).toEqual(['watch-1', 'b']);
    expect([other.state.up, other.state.acked, offered]).toEqual([true, 3, []]);
    expect(storedIn(gateway.store)).toBe(3); // both are in session 2 of this store
  });

  test('says nothing to the session before its hello, and hears nothing of it', async () => {
    const { clock, suite, device, gateway } = await secureLink(name);
    await device.start();
    await clock.advance(11); // it knows the gateway's epoch; its next hello is under way
    expect(suite.theirs).toBe(1);
    device.send(STATUS, [1, 5, 0]);
    await clock.advance(100);
    expect(gateway.store.statuses.length).toBe(1); // behind the hello
    const other = await secureLink(name);
    await other.device.start();
    other.line.deviceEnd.faults = { drop: 1 };
    await other.clock.advance(100);
    other.line.injectToGateway(frameOf(other.suite.seal(pack(STATUS, [1, 5, 0]))));
    expect(other.gateway.store.statuses).toEqual([]);
  });

  test('moves to another port and back', async () => {
    const { clock, keys, line, device, gateway } = await secureLink(name);
    await device.start();
    await clock.advance(100);
    const there = cable(clock, 'there');
    const second = await start(there.gatewayEnd, clock, keys);
    /** The device, unplugged here and plugged in there: what it says arrives there. */
    const carry = (from: typeof line, to: typeof line, since: number): void => {
      for (const bytes of from.toGateway.slice(since)) to.injectToGateway(bytes);
    };
    const step = async (to: typeof line): Promise<void> => {
      const said = line.toGateway.length;
      const answered = to.toDevice.length;
      await clock.advance(1000);
      if (to !== line) carry(line, to, said);
      for (const bytes of to.toDevice.slice(answered)) line.injectToDevice(bytes);
    };
    line.deviceEnd.faults = { drop: 1 };
    line.gatewayEnd.faults = { drop: 1 };
    device.sample();
    for (let k = 0; k < 20; k++) await step(there);
    expect(second.store.hellos.map(({ id }) => id)).toContain('watch-1');
    expect(device.state.acked).toBe(1);
    expect(keys.get('watch-1')).toMatchObject({ provenEpoch: 2, port: 'there' });
    line.deviceEnd.faults = {};
    line.gatewayEnd.faults = {};
    device.sample();
    await clock.advance(40_000);
    expect(device.state.acked).toBe(2);
    expect(keys.get('watch-1')).toMatchObject({ provenEpoch: 3, port: 'cable' });
    expect(gateway.store.hellos.length).toBe(2);
  });

  test('a removed device is nobody from then on', async () => {
    const { clock, keys, device, gateway } = await secureLink(name);
    await device.start();
    await clock.advance(100);
    keys.remove('watch-1', 5);
    gateway.connection.forget('watch-1');
    device.sample();
    await clock.advance(60_000);
    expect([storedIn(gateway.store), device.state.acked]).toEqual([0, 0]);
    expect(gateway.refused).toEqual([{ why: 'unknown-key' }]);
    expect(gateway.connection.stats().guard.suite).toBeUndefined();
  });
});

describe('a device without keys', () => {
  const onReal = async (real: boolean, plain?: boolean) => {
    const clock = steppedClock(1_000_000);
    const keys = keyStore();
    keys.add('keyed', { board: 'test', suite: 'ccm', at: 0 });
    keys.add('gone', { board: 'test', suite: 'ccm', at: 0 });
    keys.remove('gone', 1);
    const line = cable(clock, 'cable', { real });
    const gateway = await start(line.gatewayEnd, clock, keys, undefined, plain);
    const say = async (id: string) => {
      const device = linkDevice(line.deviceEnd, clock, { id });
      await device.start();
      device.sample();
      await clock.advance(5000);
      await device.stop();
      await line.deviceEnd.open();
      return device.state.up;
    };
    return { gateway, line, say };
  };

  test('is refused on a real port, and not answered', async () => {
    const { gateway, line, say } = await onReal(true);
    expect(await say('bare')).toBe(false);
    expect(gateway.refused[0]).toMatchObject({ why: 'unsealed', hello: { id: 'bare' } });
    expect([gateway.store.hellos, line.toDevice]).toEqual([[], []]);
  });

  test('is heard where that is allowed, and on virtual ports, but under no name that has keys', async () => {
    for (const [real, plain] of [
      [true, true],
      [false, undefined],
    ] as const) {
      const { gateway, say } = await onReal(real, plain);
      expect(await say('bare')).toBe(true);
      expect(new Set(gateway.suites)).toEqual(new Set(['none']));
      expect([await say('keyed'), await say('gone')]).toEqual([false, false]);
      expect(new Set(gateway.refused.map(({ why }) => why))).toEqual(new Set(['keyed']));
    }
  });

  test('cannot slip in behind one with keys', async () => {
    const { clock, keys, line, device, gateway } = await secureLink('ccm');
    await gateway.connection.close();
    const allowing = await start(line.gatewayEnd, clock, keys, undefined, true);
    await device.start();
    await clock.advance(1500);
    expect(allowing.suites).toEqual(['ccm']);
    line.injectToGateway(encodeFrame(pack(EVENT, [2, 4, 2950, 0]), none.seal));
    expect(allowing.store.events).toEqual([]);
    line.injectToGateway(
      frameOf(deviceSuite('ccm', keys.get('watch-1')!.present, 2).seal(pack(EVENT, [2, 4, 1, 0]))),
    );
    expect(allowing.store.events).toEqual([]);
  });
});
