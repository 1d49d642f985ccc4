import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HELLO, STATUS } from '../../device/core/messages.ts';
import { compose } from '../../gateway/compose.ts';
import type { Port } from '../../gateway/link/port.ts';
import { createService } from '../../gateway/service.ts';
import { loadTask } from '../../gateway/task.ts';
import { deviceSuite } from '../support/device-suite.ts';
import { steppedClock } from '../support/link-clock.ts';
import { linkDevice } from '../support/link-device.ts';
import { hello, rawDevice } from '../support/raw-device.ts';
import { cable, secureDevice } from '../support/secure-link.ts';

/** A composed gateway whose ports are real ones. */
function gatewayOn(allowWeakLink = false) {
  const clock = steppedClock(Date.UTC(2026, 0, 1));
  const gateway = compose({
    ...{ task: loadTask('gesture'), directory: ':memory:', clock },
    ...{ automatic: false, seed: 1, allowWeakLink },
  });
  const service = createService(gateway, { sentence: '', startedAt: 0, allowWeakLink });
  onTestFinished(async () => {
    service.close();
    await gateway.close();
  });
  const refusals = () =>
    gateway.store.journal
      .find({ kind: 'device.refused' })
      .map(({ subject, data }) => `${subject}: ${data.reason}`);
  const settle = async (ms = 100) => {
    await clock.advance(ms);
    gateway.store.flush();
    await setImmediate();
    await clock.advance(20);
  };
  /** A device by hand, as on a real cable. */
  const onCable = async (name: string) => {
    const device = rawDevice(name);
    const { virtual: _, ...port } = device.port;
    await gateway.loop.attach(port as Port);
    return device;
  };
  return { ...gateway, clock, call: service.call, refusals, settle, onCable };
}

describe('a gateway with real boards', () => {
  it('hears a board under its strongest suite, and shows that', async () => {
    const { store, loop, clock, call, settle } = gatewayOn();
    const line = cable(clock);
    const { present } = store.keys.add('puck', { board: 'test', suite: 'ccm', at: 0 });
    const device = secureDevice(line.deviceEnd, clock, deviceSuite('ccm', present, 2), {
      id: 'puck',
    });
    await loop.attach(line.gatewayEnd);
    await device.start();
    await settle();
    device.send(STATUS, [1, 8, 0]);
    device.send(STATUS, [1, 8, 0]);
    device.send(STATUS, [1, 15, 0]);
    await settle();
    expect(await call.device('puck')).toMatchObject({
      connected: true,
      link: {
        ...{ suite: 'ccm', weak: false, generation: 1 },
        refused: { 'refused-board': 1, 'refused-crc': 2 },
      },
    });
    await call.removeKeys('puck');
    const before = store.devices.get('puck')!.lastSeen;
    await settle(60_000);
    expect(await call.device('puck')).toMatchObject({ connected: false });
    expect(store.devices.get('puck')!.lastSeen).toBe(before);
  });

  it('rotates the keys of a device that is here', async () => {
    const { store, loop, clock, call, settle } = gatewayOn();
    const line = cable(clock);
    const { present } = store.keys.add('puck', { board: 'test', suite: 'ccm', at: 0 });
    const suite = deviceSuite('ccm', present, 2);
    await loop.attach(line.gatewayEnd);
    await secureDevice(line.deviceEnd, clock, suite, { id: 'puck' }).start();
    await settle();
    expect(await call.rotateKeys('puck')).toMatchObject({ pending: 2, connected: true });
    await settle();
    expect(suite.keys.generation).toBe(2);
    expect((await call.keys())[0]).toMatchObject({ generation: 2, pending: null });
    const kinds = store.journal.find({ subject: 'puck' }).map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['key.rotating', 'key.rotated']));
  });

  it('turns away who speaks without keys, says once what to do, and stores nothing of it', async () => {
    const { store, refusals, onCable, settle } = gatewayOn();
    const device = await onCable('/dev/ttyX');
    for (let k = 0; k < 3; k++) {
      device.say(HELLO, hello({ id: 'bare', board: 'puckjs' }));
      device.say(HELLO, hello({ id: 'poor', board: 'banglejs1' }));
    }
    await settle();
    expect([store.devices.list(), device.heard]).toEqual([[], []]);
    expect(refusals()).toEqual([
      expect.stringMatching(/^bare: it has no keys: .*whetstone keys add bare --board puckjs/),
      expect.stringMatching(/^poor: it has no keys: banglejs1 can do no better.*--allow-weak-link/),
    ]);
    for (let k = 0; k < 100; k++) device.say(HELLO, hello({ id: `name ${k}` }));
    await settle();
    expect(refusals().length).toBe(16); // names cost nothing; the log does
  });

  it('hears it where that is allowed, and shows that it is weak', async () => {
    const { call, onCable, settle, refusals } = gatewayOn(true);
    const device = await onCable('/dev/ttyX');
    device.say(HELLO, hello({ id: 'bare', board: 'puckjs' }));
    await settle();
    expect(refusals()).toEqual([]);
    expect((await call.devices())[0]).toMatchObject({
      id: 'bare',
      link: { suite: 'none', weak: true, generation: null },
    });
  });

  it('does not take mac from a board that can do ccm, unless that is allowed', async () => {
    for (const allowed of [false, true]) {
      const { store, loop, clock, call, refusals, settle } = gatewayOn(allowed);
      const line = cable(clock);
      const { present } = store.keys.add('puck', { board: 'test', suite: 'mac', at: 0 });
      await loop.attach(line.gatewayEnd);
      await secureDevice(line.deviceEnd, clock, deviceSuite('mac', present, 2), {
        id: 'puck',
      }).start();
      await settle();
      const links = (await call.devices()).map(({ link }) => [link.suite, link.weak]);
      expect(links).toEqual(allowed ? [['mac', true]] : []);
      expect(refusals()).toEqual(
        allowed ? [] : [expect.stringMatching(/^puck: its link is only mac.*ccm/)],
      );
    }
  });

  it('counts impostors under the device whose keys they have', async () => {
    const { store, loop, clock, refusals, settle } = gatewayOn();
    const line = cable(clock);
    const { present } = store.keys.add('puck', { board: 'test', suite: 'ccm', at: 0 });
    await loop.attach(line.gatewayEnd);
    await secureDevice(line.deviceEnd, clock, deviceSuite('ccm', present, 2), {
      id: 'other',
    }).start();
    await settle(1500);
    expect(store.refusals.of('puck').impostor).toBeGreaterThan(1);
    expect(refusals()).toEqual([expect.stringMatching(/^other: it has the keys of puck/)]);
    expect(store.devices.list()).toEqual([]);
  });

  it('lets virtual devices do without keys, but not under the name of a device that has some', async () => {
    const { store, loop, clock, refusals, settle } = gatewayOn();
    store.keys.add('puck', { board: 'test', suite: 'ccm', at: 0 });
    for (const id of ['watch', 'puck']) {
      const line = cable(clock, id, { real: false });
      await loop.attach(line.gatewayEnd);
      await linkDevice(line.deviceEnd, clock, { id }).start();
      await settle();
    }
    expect(store.devices.list().map(({ id }) => id)).toEqual(['watch']);
    expect(loop.linkOf('watch')).toEqual({ suite: 'none', weak: false });
    expect(refusals()).toEqual([expect.stringMatching(/^puck: .*speaks without/)]);
  });
});
