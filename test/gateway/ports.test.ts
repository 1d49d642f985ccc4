import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadBoard } from '../../gateway/board.ts';
import type { Gateway, StartOptions } from '../../gateway/calls.ts';
import { realClock } from '../../gateway/link/port.ts';
import { serialPort } from '../../gateway/link/serial.ts';
import { createVirtualDevice } from '../../gateway/link/virtual/device.ts';
import { startGateway } from '../../gateway/main.ts';
import { loadTask } from '../../gateway/task.ts';
import { bundleFor, temporary } from '../support/loop-world.ts';
import { hasSocat, ptyPair, skippedSocat } from '../support/pty.ts';
import { whetstone } from './cli/run.ts';

const start = (dataDir: string): Promise<Gateway> => {
  const options: StartOptions = { dataDir, port: 0, virtual: 0, allowWeakLink: true };
  return startGateway(options);
};

/** A board with its bundle at one end of a pseudo-terminal. */
async function boardAt(path: string): Promise<() => Promise<void>> {
  const bundle = await bundleFor(loadTask('gesture'));
  const board = loadBoard('espruino-linux');
  const device = createVirtualDevice({ bundle, id: 'bench-1', board, clock: realClock, seed: 1 });
  const end = serialPort(path);
  await device.port.open();
  await end.open();
  device.port.onData((bytes) => end.write(bytes));
  end.onData((bytes) => device.port.write(bytes));
  return async () => {
    await end.close();
    await device.dispose();
  };
}

describe.skipIf(!hasSocat)(`a running gateway${skippedSocat}`, () => {
  it('takes a further port, hears the board there, keeps it over a start, and gives it up', async () => {
    const [dataDir, cable] = [temporary(), await ptyPair()];
    const leave = await boardAt(cable.b);
    let gateway = await start(dataDir);
    onTestFinished(async () => {
      await gateway.close();
      await leave();
      await cable.close();
    });
    const connected = async () =>
      (await gateway.call.devices()).find(({ id }) => id === 'bench-1')?.connected;
    const here = ['--data-dir', dataDir];
    expect((await whetstone('ports', ...here)).out).toContain('no port');
    const added = await whetstone('ports', 'add', cable.a, ...here);
    expect(added).toMatchObject({ status: 0, out: expect.stringContaining('heard from now on') });
    await vi.waitFor(async () => expect(await connected()).toBe(true), 20_000);
    expect((await whetstone('ports', ...here)).out).toMatch(/a +serial +added since +bench-1/);
    const twice = await whetstone('ports', 'add', cable.a, ...here);
    expect([twice.status, twice.err]).toEqual([1, expect.stringContaining('is heard already')]);

    await gateway.close();
    gateway = await start(dataDir);
    await vi.waitFor(async () => expect(await connected()).toBe(true), 20_000);

    const removed = await whetstone('ports', 'remove', cable.a, ...here);
    expect(removed.out).toContain('not heard any more');
    expect(await connected()).toBe(false);
    expect(await gateway.call.ports()).toEqual([]);
    // the port is free: another program may have it
    const other = serialPort(cable.a);
    await other.open();
    await other.close();
    const kinds = ['port.added', 'port.removed'];
    const told = (await gateway.call.events({ limit: 1000 })).filter((one) =>
      kinds.includes(one.kind),
    );
    expect(told.map(({ kind, subject, data }) => [kind, subject, data.who])).toEqual([
      ['port.added', cable.a, 'person'],
      ['port.removed', cable.a, 'person'],
    ]);
    const gone = await whetstone('ports', 'remove', cable.a, ...here);
    expect([gone.status, gone.err]).toEqual([1, expect.stringContaining('hears no port')]);
    await gateway.close();
    gateway = await start(dataDir);
    expect(await gateway.call.ports()).toEqual([]);
  }, 120_000);

  it('says of a port that was named at the start that the next start opens it again', async () => {
    const [dataDir, cable] = [temporary(), await ptyPair()];
    const gateway = await startGateway({ dataDir, port: 0, virtual: 0, serial: [cable.a] });
    onTestFinished(async () => {
      await gateway.close();
      await cable.close();
    });
    expect(await gateway.call.ports()).toMatchObject([{ name: cable.a, from: 'start' }]);
    const { out } = await whetstone('ports', 'remove', cable.a, '--data-dir', dataDir);
    expect(out).toContain('the next start opens it again');
    const neither = await whetstone('ports', 'add', '--data-dir', dataDir);
    expect([neither.status, neither.err]).toEqual([2, expect.stringContaining('one of both')]);
  });
});
