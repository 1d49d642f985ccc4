import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { blePort } from '../../../gateway/link/ble.ts';
import { bleRadio, explainState, linuxLack } from '../../../gateway/link/ble-radio.ts';
import { type Port, pairedPorts } from '../../../gateway/link/port.ts';
import { type BleAir, bleAir } from '../../../gateway/link/virtual/ble-air.ts';
import { hasBle, skippedBle } from '../../support/ble.ts';
import { portContract } from './port-contract.ts';

const ADDRESS = 'c0:ff:ee:00:00:01';

/** An air, its radio, and both gone after the test. */
async function setUp(): Promise<{ air: BleAir; radio: ReturnType<typeof bleRadio> }> {
  const air = await bleAir({ intervalMs: 2 });
  const radio = bleRadio(air.noble);
  onTestFinished(async () => {
    radio.close();
    await air.close();
  });
  return { air, radio };
}

/** A device that is two ends of a cable in memory; gives the far one. */
async function deviceOn(air: BleAir, address: string, name: string, mtu = 53) {
  const [near, far] = pairedPorts();
  const device = await air.add(near, { address, name, mtu });
  await far.open();
  return { device, far };
}

describe.each([
  [23, 'name', 'puck-1'],
  [53, 'address', ADDRESS.toUpperCase()],
  [517, 'name', 'puck-1'],
])(`blePort() to packets of %d bytes, by %s${skippedBle}`, (mtu, _, which) => {
  portContract(async () => {
    const air = await bleAir({ intervalMs: 2 });
    const radio = bleRadio(air.noble);
    const { device, far } = await deviceOn(air, ADDRESS, 'puck-1', mtu);
    const port = blePort(radio, which);
    return {
      port,
      say: (bytes) => far.write(bytes),
      hear: (receiver) => far.onData(receiver),
      lose: () => air.controller.remove(device.peripheral),
      restore: () => air.controller.add(device.peripheral),
      end: async () => {
        await port.close();
        radio.close();
        await air.close();
      },
    };
  }, !hasBle);
});

test.skipIf(!hasBle)(
  `nearby() hears the boards that advertise, and reaches one${skippedBle}`,
  async () => {
    const { air, radio } = await setUp();
    await deviceOn(air, ADDRESS, 'puck-1');
    await deviceOn(air, 'c0:ff:ee:00:00:02', 'puck\x1b[2J');
    const heard = await radio.nearby(500);
    expect(heard.map(({ address, name }) => `${address} ${name}`).sort()).toEqual([
      `${ADDRESS} puck-1`,
      'c0:ff:ee:00:00:02 puck?[2J', // no codes for a terminal
    ]);
    expect(heard[0]!.rssi).toBe(-50);
    const port = blePort(radio, ADDRESS);
    await port.open();
    await port.close();
  },
);

describe.skipIf(!hasBle)(`blePort()${skippedBle}`, () => {
  test('carries several devices at once, one of them lost and found again', async () => {
    const { air, radio } = await setUp();
    const ids = ['a', 'b', 'c'];
    const heard = new Map<string, string>();
    const far: Port[] = [];
    const devices = [];
    for (const [i, id] of ids.entries()) {
      const one = await deviceOn(air, `c0:ff:ee:00:00:0${i}`, id);
      one.far.onData((bytes) => one.far.write(bytes)); // says what it hears
      far.push(one.far);
      devices.push(one.device);
    }
    const ports = ids.map((id) => {
      const port = blePort(radio, id);
      port.onData((bytes) => heard.set(id, (heard.get(id) ?? '') + Buffer.from(bytes)));
      return port;
    });
    await Promise.all(ports.map((port) => port.open()));
    for (const [i, port] of ports.entries()) port.write(Buffer.from(`hello ${ids[i]}`.repeat(9)));
    await vi.waitUntil(() => ids.every((id) => heard.get(id)?.length === 63), 15_000);
    expect(heard).toEqual(new Map(ids.map((id) => [id, `hello ${id}`.repeat(9)])));

    let lost = 0;
    ports[1]!.onClose(() => lost++);
    air.controller.remove(devices[1]!.peripheral);
    await vi.waitUntil(() => lost === 1, 15_000);
    const reopened = ports[1]!.open(); // looked for while the others go on
    ports[0]!.write(Buffer.from('!'));
    await vi.waitUntil(() => heard.get('a')!.endsWith('!'), 15_000);
    air.controller.add(devices[1]!.peripheral);
    await reopened;
    ports[1]!.write(Buffer.from('?'));
    await vi.waitUntil(() => heard.get('b')!.endsWith('?'), 15_000);
    for (const port of ports) await port.close();
    expect(devices.map(({ peripheral }) => air.controller.isConnected(peripheral))).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('gives up the search when it is closed, and leaves Ctrl-C to the gateway', async () => {
    const before = process.listeners('SIGINT');
    const { air, radio } = await setUp();
    await deviceOn(air, ADDRESS, 'somebody else');
    const port = blePort(radio, 'nobody');
    const opening = port.open();
    const failed = expect(opening).rejects.toMatchObject({ code: 'cancelled' });
    await vi.waitUntil(() => process.listeners('exit').length > 0, 15_000);
    await port.close();
    await failed;
    expect(process.listeners('SIGINT')).toEqual(before);
  });

  test('can be closed while a peripheral that has hung keeps it waiting', async () => {
    const { air, radio } = await setUp();
    const { device } = await deviceOn(air, ADDRESS, 'puck-1');
    let asked = 0;
    device.peripheral.answer = () => {
      asked++;
      return undefined;
    };
    const port = blePort(radio, 'puck-1');
    const failed = expect(port.open()).rejects.toMatchObject({ code: 'cancelled' });
    await vi.waitUntil(() => asked > 0, 15_000);
    await port.close();
    await failed;
    await vi.waitUntil(() => !air.controller.isConnected(device.peripheral), 15_000);
  });

  test.each([
    ['an answer that is cut off', [0x11]],
    ['a list whose entries have no length', [0x11, 0, 1, 0, 9, 0, 0, 0x18]],
    ['a list that ends in an entry', [0x11, 6, 1, 0]],
  ])('outlives a peripheral that gives %s, and takes it when it is well', async (_, answer) => {
    const { air, radio } = await setUp();
    const { device, far } = await deviceOn(air, ADDRESS, 'puck-1');
    const well = device.peripheral.answer;
    let asked = 0;
    device.peripheral.answer = (pdu) => {
      if (pdu[0] !== 0x10) return well(pdu);
      asked++;
      return Uint8Array.from(answer);
    };
    const port = blePort(radio, 'puck-1');
    const failed = expect(port.open()).rejects.toMatchObject({ code: 'cancelled' });
    await vi.waitUntil(() => asked > 0, 15_000);
    await port.close();
    await failed;
    await vi.waitUntil(() => !air.controller.isConnected(device.peripheral), 15_000);
    device.peripheral.answer = well;
    await port.open();
    let got = '';
    port.onData((bytes) => {
      got += Buffer.from(bytes);
    });
    far.write(Buffer.from('well'));
    await vi.waitUntil(() => got === 'well', 15_000);
    await port.close();
  });

  test('sends no more unconfirmed than a board can hold', async () => {
    const { air, radio } = await setUp();
    const { device, far } = await deviceOn(air, ADDRESS, 'puck-1');
    const port = blePort(radio, 'puck-1');
    let unanswered = 0;
    let most = 0;
    const { answer } = device.peripheral;
    device.peripheral.answer = (pdu) => {
      unanswered = pdu[0] === 0x12 ? 0 : unanswered + pdu.length - 3;
      most = Math.max(most, unanswered);
      return answer(pdu);
    };
    let got = 0;
    far.onData((bytes) => {
      got += bytes.length;
    });
    await port.open();
    unanswered = 0;
    most = 0;
    port.write(new Uint8Array(2000));
    await vi.waitUntil(() => got === 2000, 15_000);
    expect(most).toBeGreaterThan(0); // not every write waits
    expect(most).toBeLessThanOrEqual(128);
    await port.close();
  });
});

describe('bleRadio()', () => {
  test('names the cure where noble does not load', async () => {
    const radio = bleRadio(async () => {
      const { GatewayError } = await import('../../../gateway/errors.ts');
      throw new GatewayError('missing-tool', 'no noble', { hint: 'npm install it' });
    });
    await expect(blePort(radio, 'puck-1').open()).rejects.toMatchObject({ code: 'missing-tool' });
  });

  test('finds out beforehand what lacks on Linux', () => {
    const folder = mkdtempSync(join(tmpdir(), 'radios-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [radios, status] = [join(folder, 'bluetooth'), join(folder, 'status')];
    const may = (mask: string) => writeFileSync(status, `Name:\tnode\nCapEff:\t${mask}\n`);
    may('0000000000000000');
    expect(linuxLack(radios, status)).toBe('unsupported');
    mkdirSync(join(radios, 'hci0'), { recursive: true });
    expect(linuxLack(radios, status)).toBe('unauthorized');
    may('0000000000002000');
    expect(linuxLack(radios, status)).toBeUndefined();
  });

  test('names the cure for each state of a radio that is not on', () => {
    expect(explainState('unauthorized').line()).toMatch(/not allowed.*setcap cap_net_raw.*\/node/);
    expect(explainState('poweredOff').line()).toMatch(/switched off.*rfkill unblock/);
    expect(explainState('unsupported').line()).toMatch(/no Bluetooth radio.*hciconfig/);
  });
});
