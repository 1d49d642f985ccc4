import { setImmediate, setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { HELLO, SAMPLE } from '../../device/core/messages.ts';
import { compose } from '../../gateway/compose.ts';
import { realClock } from '../../gateway/link/port.ts';
import { loadTask } from '../../gateway/task.ts';
import { goodWindow, hello, rawDevice, rejections, sample } from '../support/raw-device.ts';

/** A gateway and a device on its port, in real time: commits come when they come. */
async function attached() {
  const task = loadTask('gesture');
  const options = { task, directory: ':memory:', clock: realClock, automatic: true, seed: 1 };
  const gateway = compose(options);
  const device = rawDevice();
  await gateway.loop.attach(device.port);
  return { gateway, device };
}

/** Lets whatever was left behind come to its end. */
async function aftermath(): Promise<void> {
  await setTimeout(30);
  await setImmediate();
}

describe('close() of a gateway with work in flight', () => {
  it('leaves no rejection when labelled windows wait for their commit', async () => {
    const unhandled = rejections();
    const { gateway, device } = await attached();
    device.say(HELLO, hello());
    await setImmediate();
    for (let seq = 1; seq < 10; seq++) device.say(SAMPLE, sample({ seq, t: seq * 5000, label: 2 }));
    await gateway.close();
    await aftermath();
    expect(unhandled).toEqual([]);
  });

  it('stores a truth that waits for its commit', async () => {
    const unhandled = rejections();
    const { gateway, device } = await attached();
    await goodWindow(device, 'raw', 77);
    gateway.store.flush();
    await setImmediate();
    const [stored] = gateway.store.samples.latest('raw', 1);
    const truth = gateway.loop.truth({ sample: stored!.id, cls: 2, source: 'person', trust: 1 });
    const told = truth.then(
      ({ label }) => label?.cls,
      (error: unknown) => error,
    );
    await gateway.close();
    expect(await told).toBe(2);
    await aftermath();
    expect(unhandled).toEqual([]);
  });
});
