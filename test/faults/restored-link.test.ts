import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { encodeFrame } from '../../device/core/frame.ts';
import { layOut } from '../../gateway/link/suites/suite.ts';
import { restore } from '../../gateway/restoring.ts';
import { writeBackup } from '../../gateway/store/backup.ts';
import { openStore, type Store } from '../../gateway/store/store.ts';
import { temporary } from '../gateway/store/support.ts';
import { deviceSuite } from '../support/device-suite.ts';
import { steppedClock } from '../support/link-clock.ts';
import { cable, secureDevice, start } from '../support/secure-link.ts';

const ID = 'watch-1';

function opened(directory: string): Store {
  const store = openStore({ directory });
  onTestFinished(() => store.close());
  return store;
}

/** A device that is here, and a backup of its gateway; then something happens, and it is restored. */
async function restored(meanwhile: { boots?: number; starts?: number }) {
  const directory = join(temporary(), 'data');
  const path = join(temporary(), 'a.backup');
  const clock = steppedClock(1_000_000);
  const line = cable(clock);
  const store = opened(directory);
  const { present } = store.keys.add(ID, { board: 'test', suite: 'ccm', at: 0 });
  let suite = deviceSuite('ccm', present, 2);
  let device = secureDevice(line.deviceEnd, clock, suite);
  let gateway = await start(line.gatewayEnd, clock, store.keys);
  await device.start();
  await clock.advance(1000);
  writeBackup(directory, path, 1);
  for (let k = 0; k < (meanwhile.starts ?? 0); k++) {
    await gateway.connection.close();
    gateway = await start(line.gatewayEnd, clock, store.keys);
    await clock.advance(1000);
  }
  for (let k = 0; k < (meanwhile.boots ?? 0); k++) {
    await device.stop();
    suite = deviceSuite('ccm', present, suite.epoch + 1);
    device = secureDevice(line.deviceEnd, clock, suite);
    await device.start();
    await clock.advance(1000);
  }
  device.sample();
  await clock.advance(1000);
  expect(device.state.acked).toBe(1);
  await gateway.connection.close();
  store.close();
  restore({ path, directory, replace: true });
  const { keys } = opened(directory);
  return { clock, line, device, suite, keys };
}

describe('a gateway that was restored from a backup', () => {
  test.each([
    ['which has heard nothing since', {}],
    ['which has heard many epochs of it since', { starts: 20 }],
    ['which has started again since', { boots: 3 }],
    ['which has started again, and heard many epochs since', { boots: 2, starts: 20 }],
  ])('hears a device %s', async (_name, meanwhile) => {
    const { clock, line, device, suite, keys } = await restored(meanwhile);
    const gateway = await start(line.gatewayEnd, clock, keys);
    expect(suite.theirs).toBeLessThan(keys.get(ID)!.epoch - 900_000);
    const seq = device.sample();
    await clock.advance(60_000);
    expect(gateway.store.hellos.length).toBe(1);
    expect(device.state.acked).toBe(seq);
    expect(keys.get(ID)!.deviceEpoch).toBe(suite.epoch);
    await gateway.connection.close();
  });

  test('remembers nothing of an epoch that anybody may have named', async () => {
    const { clock, line, device, suite, keys } = await restored({ boots: 1 });
    line.deviceEnd.faults = { drop: 1 };
    const gateway = await start(line.gatewayEnd, clock, keys);
    const before = keys.get(ID)!;
    for (let n = 0; n < 500; n++) {
      const frame = {
        tag: new Uint8Array(8),
        from: 2 ** 24 - 1 - n,
        n: 1,
        body: new Uint8Array(9),
      };
      line.injectToGateway(encodeFrame(layOut(frame), (bytes) => bytes));
      await clock.advance(1000);
    }
    const { deviceEpoch, epoch } = keys.get(ID)!;
    expect(deviceEpoch).toBe(before.deviceEpoch);
    expect(epoch).toBeLessThan(before.epoch + 20);
    line.deviceEnd.faults = {};
    await device.stop(); // whoever floods a line keeps a device off it until that starts again
    const booted = deviceSuite('ccm', keys.get(ID)!.present, suite.epoch + 1);
    const again = secureDevice(line.deviceEnd, clock, booted);
    await again.start();
    const seq = again.sample();
    await clock.advance(60_000);
    expect(again.state.acked).toBe(seq);
    await gateway.connection.close();
  });
});
