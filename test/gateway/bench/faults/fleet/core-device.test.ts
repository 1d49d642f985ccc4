import { describe, expect, it } from 'vitest';
import { createCoreDevice } from '../../../../../gateway/bench/faults/fleet/core-device.ts';
import { benchTask } from '../../../../../gateway/bench/faults/fleet/task.ts';
import { tinyModel, walk } from '../../../../../gateway/bench/faults/tiny-model.ts';
import { loadBoard } from '../../../../../gateway/board.ts';
import { virtualClock } from '../../../../../gateway/link/virtual/clock.ts';
import { lossyPair } from '../../../../../gateway/link/virtual/lossy-port.ts';
import { createRandom } from '../../../../../gateway/random.ts';
import { miniGateway } from '../../../../support/mini-gateway.ts';

const pool = [1, 2].map((seed) => ({
  ...{ cls: 0, length: 50, window: walk(seed), file: '', line: 0 },
}));

/** A device that is on, and a gateway that answers it. */
async function world(speed = 1) {
  const clock = virtualClock(1_000_000);
  const [far, port] = lossyPair(clock, 1);
  const gateway = await miniGateway(far);
  const board = loadBoard('espruino-linux');
  const random = createRandom(1);
  const device = createCoreDevice({
    ...{ id: 'one', port, clock, board, task: benchTask(), pool, random, speed },
  });
  await device.boot();
  await clock.advance(2000);
  const install = async (release: number): Promise<void> => {
    gateway.offer(tinyModel(release, 1));
    await clock.advance(5000);
    gateway.confirm(release);
    await clock.advance(1000);
  };
  return { clock, gateway, device, install };
}

describe('createCoreDevice()', () => {
  it('remembers what it made and what it was told, and shows what lies in its flash', async () => {
    const { device, install, clock } = await world();
    expect(device.see(0)).toBe(false); // no model, nothing to say
    await install(1);
    const made = clock.now();
    expect([device.see(1), device.see(0)]).toEqual([true, true]);
    await clock.advance(1000);
    const [life] = device.lives;
    expect(life).toMatchObject({ isWelcome: true, told: 2, dropped: 0, heldFrom: 1 });
    expect(life!.made.map(({ window }) => window)).toEqual([1, 0]);
    expect(life!.made[0]!.t).toBe(made - 1_000_000);
    expect(device.hello).toMatchObject({ release: 1, state: 1 });
    const [model] = device.slots();
    expect(model).toMatchObject({ release: 1 });
    expect(model!.parts.map((part) => part.length)).toEqual(
      tinyModel(1, 1).parts.map((part) => part.length),
    );
  });

  it('says nothing without power, and begins a new session on its flash', async () => {
    const { device, install, clock, gateway } = await world();
    await install(1);
    device.cut('now');
    expect([device.isOn, device.see(0)]).toEqual([false, false]);
    const heard = gateway.hellos.length;
    await clock.advance(60_000);
    expect(gateway.hellos.length).toBe(heard);
    await device.boot();
    await clock.advance(2000);
    expect(device.lives.length).toBe(2);
    expect(device.lives[1]!.session).not.toBe(device.lives[0]!.session);
    expect(device.hello).toMatchObject({ release: 1, state: 1 });
    expect(device.see(0)).toBe(true);
  });

  it.each(['flash', 'send'] as const)('dies in the middle of a %s, and lives on', async (when) => {
    const { device, install } = await world();
    await install(1);
    device.cut(when);
    await install(2);
    expect(device.isOn).toBe(false);
    await device.boot();
    await install(3);
    expect(device.hello).toMatchObject({ release: 3, state: 1 });
    expect(device.lives.length).toBe(2);
  });

  it('does not die of a cut that was called off', async () => {
    const { device, install } = await world();
    device.cut('flash');
    device.cut('never');
    await install(1);
    expect([device.isOn, device.hello?.release]).toEqual([true, 1]);
  });

  it('lives faster than the clock when told to', async () => {
    const { device, install, clock } = await world(10);
    await install(1);
    await clock.advance(4000);
    device.see(0);
    expect(device.lives[0]!.made[0]!.t).toBe((clock.now() - 1_000_000) * 10);
  });
});
