import { describe, expect, test } from 'vitest';
import { ACK, HELLO, pack } from '../../../device/core/messages.ts';
import { GatewayError } from '../../../gateway/errors.ts';
import { createGuard } from '../../../gateway/link/guard.ts';
import { seeded } from '../../../gateway/link/virtual/lossy-port.ts';
import { deviceSuite } from '../../support/device-suite.ts';
import { steppedClock } from '../../support/link-clock.ts';
import { hello } from '../../support/raw-device.ts';
import { keyStore } from '../../support/secure-link.ts';

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
