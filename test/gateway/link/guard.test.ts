import { describe, expect, test } from 'vitest';
import { encodeFrame } from '../../../device/core/frame.ts';
import { ACK, EVENT, HELLO, pack, STATUS } from '../../../device/core/messages.ts';
import { GatewayError } from '../../../gateway/errors.ts';
import { createGuard } from '../../../gateway/link/guard.ts';
import { none } from '../../../gateway/link/suites/none.ts';
import { deviceSuite } from '../../support/device-suite.ts';
import { steppedClock } from '../../support/link-clock.ts';
import { linkDevice } from '../../support/link-device.ts';
import type { LinkStore } from '../../support/link-store.ts';
import { seeded } from '../../support/lossy-port.ts';
import { hello } from '../../support/raw-device.ts';
import { cable, keyStore, secureDevice, secureLink, start } from '../../support/secure-link.ts';

const as = (bytes: Uint8Array) => bytes;
const stored = (store: LinkStore) =>
  [...store.stored.values()].reduce((sum, kept) => sum + kept.size, 0);

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
    expect([stored(gateway.store), gateway.store.events]).toEqual([0, []]);
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
      line.injectToGateway(encodeFrame(changed, as));
    }
    expect(gateway.store.events).toEqual([]);
    line.injectToGateway(encodeFrame(sealed, as));
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
    line.injectToGateway(encodeFrame(second.seal(pack(STATUS, [1, 5, 0])), as));
    expect(gateway.store.statuses).toEqual([]); // it is not the first one's
    line.deviceEnd.faults = {};
    for (let k = 0; k < 3; k++) other.sample();
    await clock.advance(5000);
    expect(gateway.store.hellos.map(({ id }) => id)).toEqual(['watch-1', 'b']);
    expect([other.state.up, other.state.acked, offered]).toEqual([true, 3, []]);
    expect(stored(gateway.store)).toBe(3); // both are in session 2 of this store
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
    other.line.injectToGateway(encodeFrame(other.suite.seal(pack(STATUS, [1, 5, 0])), as));
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
    expect([stored(gateway.store), device.state.acked]).toEqual([0, 0]);
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
      encodeFrame(
        deviceSuite('ccm', keys.get('watch-1')!.present, 2).seal(pack(EVENT, [2, 4, 1, 0])),
        as,
      ),
    );
    expect(allowing.store.events).toEqual([]);
  });
});

describe('createGuard()', () => {
  function guarded(devices: number, most?: number) {
    const clock = steppedClock(1_000_000);
    const keys = keyStore();
    for (let k = 0; k < devices; k++) keys.add(`d${k}`, { board: 't', suite: 'ccm', at: 0 });
    const sent: (Uint8Array | undefined)[] = [];
    const guard = createGuard({
      ...{ keys, clock, port: 'p', plain: false, onRefused: () => {}, onRekeyed: () => {} },
      send: (_key, _payload, seal) => sent.push(seal()),
      ...(most !== undefined && { most }),
    });
    return { clock, keys, guard, sent };
  }

  test('tries a bounded number of keys a second, and finds the right one all the same', async () => {
    const { clock, keys, guard, sent } = guarded(3000);
    const random = seeded(4);
    const noise = () => {
      const bytes = Uint8Array.from({ length: 60 }, () => random() * 256);
      bytes[11] = 0; // of an epoch that a device may be in
      bytes[12] = 1;
      return bytes;
    };
    for (let k = 0; k < 200; k++) guard.open(noise());
    expect(guard.stats().tries).toBe(1000);
    for (let second = 1; second <= 10; second++) {
      await clock.advance(1000);
      for (let k = 0; k < 50; k++) guard.open(noise());
      expect(guard.stats().tries).toBe(1000 + 500 * second);
    }
    expect(guard.stats().untried).toBeGreaterThan(600);
    const late = deviceSuite('ccm', keys.get('d2900')!.present, 5);
    for (let second = 0; second < 8 && sent.length === 0; second++) {
      await clock.advance(1000);
      guard.open(late.seal(pack(HELLO, hello({ id: 'd2900' }))));
    }
    expect(sent.length).toBe(1);
  });

  test('finds a device on a port on which hundreds were before, whatever epochs are known of them', async () => {
    const { clock, keys, guard, sent } = guarded(400);
    for (const { device } of keys.list()) {
      for (let k = 0; k < 20; k++) keys.begin(device, 5); // nobody answered
      keys.prove(device, { epoch: 1, deviceEpoch: 5, port: 'p' });
    }
    const late = deviceSuite('ccm', keys.get('d350')!.present, 5);
    for (let second = 0; second < 30; second++) {
      await clock.advance(1000);
      guard.open(late.seal(pack(HELLO, hello({ id: 'd350' }))));
    }
    expect(sent.some((bytes) => bytes && late.open(bytes))).toBe(true);
  });

  test('begins a new pair of epochs when all numbers of one are used up', async () => {
    const { clock, keys, guard, sent } = guarded(1, 4);
    const device = deviceSuite('ccm', keys.get('d0')!.present, 5);
    const say = (payload: Uint8Array) => guard.open(device.seal(payload));
    const greet = () => say(pack(HELLO, hello({ id: 'd0' })));
    expect(greet()).toBeUndefined();
    expect(device.open(sent.pop()!)).toEqual(pack(ACK, [0, 0]));
    expect(greet()).toBeDefined();
    const seen = new Set<string>();
    for (let k = 0; k < 20; k++) {
      const sealed = guard.seal(pack(ACK, [5, k]));
      if (sealed === undefined) {
        await clock.advance(1000);
        const nudge = sent.pop();
        if (nudge === undefined) continue;
        expect(device.open(nudge)).toEqual(pack(ACK, [0, 0]));
        expect(greet()).toBeDefined();
        continue;
      }
      const header = Buffer.from(sealed.subarray(8, 16)).toString('hex');
      expect(seen.has(header)).toBe(false);
      seen.add(header);
      expect(device.open(sealed)).toEqual(pack(ACK, [5, k]));
    }
    expect(keys.get('d0')!.epoch).toBeGreaterThan(4);
  });

  test('believes nothing and says nothing while its disk is full', () => {
    const { keys, guard, sent } = guarded(1);
    const device = deviceSuite('ccm', keys.get('d0')!.present, 5);
    const say = () => guard.open(device.seal(pack(HELLO, hello({ id: 'd0' }))));
    const { begin, prove } = keys;
    const full = () => {
      throw new GatewayError('disk-full', 'no room');
    };
    keys.begin = full;
    expect([say(), sent]).toEqual([undefined, []]);
    keys.begin = begin;
    expect([say(), sent.length]).toEqual([undefined, 1]);
    device.open(sent[0]!);
    keys.prove = full;
    expect([say(), guard.device]).toEqual([undefined, undefined]);
    keys.prove = prove;
    expect([say() !== undefined, guard.device]).toEqual([true, 'd0']);
  });
});
