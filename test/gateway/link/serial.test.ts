import { spawn } from 'node:child_process';
import {
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { connect } from '../../../gateway/link/connect.ts';
import { realClock } from '../../../gateway/link/port.ts';
import { explain, serialPort } from '../../../gateway/link/serial.ts';
import { holdersOf } from '../../../gateway/link/serial-cure.ts';
import { linkDevice } from '../../support/link-device.ts';
import { linkStore } from '../../support/link-store.ts';
import { hasSocat, ptyPair, skippedSocat } from '../../support/pty.ts';
import { portContract } from './port-contract.ts';

const POLICY = { confidentOneIn: 1, uncertainBelow: 256, rawOneIn: 0 };
const folder = mkdtempSync(join(tmpdir(), 'serial-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe(`serialPort()${skippedSocat}`, () => {
  portContract(async () => {
    const cable = mkdtempSync(join(folder, 'contract-'));
    let pair = await ptyPair(cable);
    const port = serialPort(pair.a);
    const far = serialPort(pair.b);
    await far.open();
    return {
      port,
      say: (bytes) => far.write(bytes),
      hear: (receiver) => far.onData(receiver),
      lose: () => pair.close(),
      restore: async () => {
        pair = await ptyPair(cable);
        await far.open();
      },
      end: async () => {
        await port.close();
        await far.close();
        await pair.close();
      },
    };
  }, !hasSocat);
});

describe('serialPort()', () => {
  test('says what to do when there is no such device', async () => {
    const port = serialPort(join(folder, 'nothing'));
    await expect(port.open()).rejects.toMatchObject({
      code: 'port',
      message: `there is no device at ${join(folder, 'nothing')}`,
      hint: expect.stringContaining('plug it in'),
    });
  });

  test('says what to do when the path is no serial port', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'x');
    await expect(serialPort(path).open()).rejects.toMatchObject({ code: 'port' });
  });

  test('names the group when permission is denied, and the holder when it is busy', () => {
    const denied = explain('/dev/x', new Error('Error: Permission denied, cannot open /dev/x'));
    expect([denied.code, denied.message]).toEqual(['port', 'not allowed to open /dev/x']);
    expect(denied.hint).toContain(`sudo usermod -aG dialout ${userInfo().username}, then log in`);
    expect(denied.hint).toContain('hardware/gateway/60-whetstone.rules');
    const busy = explain(
      '/dev/x',
      new Error('Error Resource temporarily unavailable Cannot lock port'),
    );
    expect([busy.code, busy.message]).toEqual(['port', '/dev/x is in use by another program']);
  });

  test.skipIf(!hasSocat)(`is refused when another holds the port${skippedSocat}`, async () => {
    const pair = await ptyPair();
    onTestFinished(() => pair.close());
    const first = serialPort(pair.a);
    await first.open();
    await expect(serialPort(pair.a).open()).rejects.toMatchObject({
      code: 'port',
      message: expect.stringContaining(`${pair.a} is in use by `),
    });
    await first.close();
  });

  test.skipIf(!hasSocat)(`names the program that holds the port${skippedSocat}`, async () => {
    const pair = await ptyPair();
    onTestFinished(() => pair.close());
    const holder = spawn('sleep', ['60'], {
      stdio: [openSync(pair.a, constants.O_RDWR | constants.O_NOCTTY), 'ignore', 'ignore'],
    });
    onTestFinished(() => void holder.kill());
    const name = `sleep (process ${holder.pid})`;
    await vi.waitUntil(() => holdersOf(pair.a).includes(name), 10_000);
    const busy = explain(pair.a, new Error('Error Resource busy, cannot open'));
    expect(busy.message).toContain(name); // beside socat, whose pty it is
    expect(busy.hint).toBe('end it');
  });

  test.skipIf(!hasSocat)(
    `finds a port that came back under another number by its lasting name${skippedSocat}`,
    async () => {
      const byId = mkdtempSync(join(folder, 'by-id-'));
      const [first, second] = [await ptyPair(), await ptyPair()];
      onTestFinished(() => Promise.all([first.close(), second.close()]).then(() => {}));
      const link = join(byId, 'usb-board-if00');
      symlinkSync(realpathSync(first.a), link);
      const port = serialPort(first.a, { byId });
      const closes: unknown[] = [];
      port.onClose((why) => closes.push(why));
      await port.open();
      await first.close();
      await vi.waitUntil(() => closes.length === 1, 10_000);
      rmSync(link);
      symlinkSync(realpathSync(second.a), link);
      await port.open();
      const far = serialPort(second.b, { byId });
      const heard: number[] = [];
      far.onData((bytes) => heard.push(...bytes));
      await far.open();
      port.write(Uint8Array.of(5));
      await vi.waitUntil(() => heard.length > 0, 10_000);
      expect(heard).toEqual([5]);
      await port.close();
      await far.close();
    },
  );

  test.skipIf(!hasSocat)(
    `carries samples, and goes on when the cable comes back after it was pulled${skippedSocat}`,
    async () => {
      const cables = join(folder, 'cable');
      mkdirSync(cables);
      let pair = await ptyPair(cables);
      const store = linkStore(realClock, { commitMs: () => 1 });
      const gateway = await connect(serialPort(pair.a), store.handlers(), {
        policy: POLICY,
        plain: true,
      });
      const far = serialPort(pair.b);
      const device = linkDevice(far, realClock);
      await device.start();
      for (let k = 0; k < 20; k++) device.sample({ window: new Int8Array(150).fill(k) });
      await vi.waitUntil(() => device.state.acked === 20, 10_000);
      await pair.close();
      await vi.waitUntil(() => store.closes.length === 1, 10_000);
      expect(store.closes[0]).toMatchObject({ code: 'port' });
      for (let k = 0; k < 5; k++) device.sample();
      pair = await ptyPair(cables);
      await far.open();
      await vi.waitUntil(() => device.state.acked === 25, 10_000);
      expect([...store.stored.get(77)!.keys()].sort((x, y) => x - y)).toEqual(
        Array.from({ length: 25 }, (_, k) => k + 1),
      );
      expect(store.wrong).toEqual([]);
      await gateway.close();
      await device.stop();
      await pair.close();
    },
  );
});
