import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { connect } from '../../../gateway/link/connect.ts';
import { realClock } from '../../../gateway/link/port.ts';
import { explain, serialPort } from '../../../gateway/link/serial.ts';
import { linkDevice } from '../../support/link-device.ts';
import { linkStore } from '../../support/link-store.ts';
import { hasSocat, ptyPair, skippedSocat } from '../../support/pty.ts';

const POLICY = { confidentOneIn: 1, uncertainBelow: 256, rawOneIn: 0 };
const folder = mkdtempSync(join(tmpdir(), 'serial-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function until(what: () => boolean, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!what()) {
    if (Date.now() > end) throw new Error(`still not so after ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

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
    expect(denied.hint).toMatch(/dialout.*udev/s);
    const busy = explain(
      '/dev/x',
      new Error('Error Resource temporarily unavailable Cannot lock port'),
    );
    expect([busy.code, busy.message]).toEqual(['port', '/dev/x is in use by another program']);
  });

  test.skipIf(!hasSocat)(`is refused when another holds the port${skippedSocat}`, async () => {
    const pair = await ptyPair();
    const first = serialPort(pair.a);
    await first.open();
    await expect(serialPort(pair.a).open()).rejects.toMatchObject({
      code: 'port',
      message: `${pair.a} is in use by another program`,
    });
    await first.close();
    await pair.close();
  });

  test.skipIf(!hasSocat)(
    `carries samples, and goes on when the cable comes back after it was pulled${skippedSocat}`,
    async () => {
      const cables = join(folder, 'cable');
      const { mkdirSync } = await import('node:fs');
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
      await until(() => device.state.acked === 20);
      await pair.close();
      await until(() => store.closes.length === 1);
      expect(store.closes[0]).toMatchObject({ code: 'port' });
      for (let k = 0; k < 5; k++) device.sample();
      pair = await ptyPair(cables);
      await far.open();
      await until(() => device.state.acked === 25);
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
