import { describe, expect, it, onTestFinished } from 'vitest';
import { buildBundle } from '../../device/build.ts';
import { loadBoard } from '../../gateway/board.ts';
import { compose } from '../../gateway/compose.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import { createVirtualDevice } from '../../gateway/link/virtual/device.ts';
import { VirtualFlash } from '../../gateway/link/virtual/flash.ts';
import { VirtualStorage } from '../../gateway/link/virtual/storage.ts';
import { createService } from '../../gateway/service.ts';
import { loadTask } from '../../gateway/task.ts';

const task = loadTask('gesture');

describe.each([
  ['ccm', 'puckjs'],
  ['mac', 'pixljs'],
] as const)('a board with the built bundle, under %s', (suite, name) => {
  it('is flashed with what keys add gives, proves itself, and goes on over restarts and rotation', async () => {
    const board = loadBoard(name);
    const bundle = await buildBundle({ board, task, suite });
    const clock = virtualClock(Date.UTC(2026, 0, 1));
    const gateway = compose({
      ...{ task, directory: ':memory:', clock, automatic: false, seed: 1 },
    });
    const { call, close } = createService(gateway, { sentence: '', startedAt: 0 });
    onTestFinished(async () => {
      close();
      await gateway.close();
    });
    const { image } = await call.addKeys({ device: 'b1', board: name });

    const flash = new VirtualFlash(board.flash);
    const { start, pageBytes } = board.flash;
    const size = (3 + 2 * board.slotPages) * pageBytes - 32;
    new VirtualStorage(flash).write('ws.slot', 'ws', 0, size);
    flash.write(start + pageBytes, new Uint8Array(Buffer.from(image, 'base64').subarray(0, 64)));
    const device = createVirtualDevice({ bundle, id: 'b1', board, clock, flash: flash.image() });
    onTestFinished(() => device.dispose());
    const { virtual: _, ...port } = device.port;
    await gateway.loop.attach(port);
    await clock.advance(5000);
    expect(await call.device('b1')).toMatchObject({
      ...{ connected: true, board: name },
      link: { suite, weak: false, generation: 1 },
    });
    expect(gateway.store.keys.get('b1')).toMatchObject({ deviceEpoch: 2, provenEpoch: 1 });
    // it took the welcome: else it would say hello again and again
    await clock.advance(60_000);
    expect(gateway.loop.online.get('b1')!.stats().framesIn).toBe(1);

    device.restart();
    await clock.advance(5000);
    expect(gateway.store.devices.get('b1')!.session).toBe(3);
    expect(gateway.store.keys.get('b1')).toMatchObject({ deviceEpoch: 3, provenEpoch: 2 });
    if (suite === 'mac') return;

    await call.rotateKeys('b1');
    await clock.advance(5000);
    expect(gateway.store.keys.get('b1')).toMatchObject({
      present: { generation: 2 },
      pending: null,
    });
    device.restart();
    await clock.advance(5000);
    expect((await call.device('b1')).link.generation).toBe(2);
    expect(gateway.store.devices.get('b1')!.session).toBeGreaterThan(3);
    await call.removeKeys('b1');
    device.restart();
    await clock.advance(60_000);
    expect((await call.device('b1')).connected).toBe(false);
  });
});
