import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { serveApi } from '../../../gateway/api/server.ts';
import { run } from '../../../gateway/cli/main.ts';
import { compose } from '../../../gateway/compose.ts';
import { realClock } from '../../../gateway/link/port.ts';
import { serialPort } from '../../../gateway/link/serial.ts';
import { createService } from '../../../gateway/service.ts';
import { bareEspruino } from '../../support/flashed-boards.ts';
import { fleetData } from '../../support/fleet-data.ts';
import { twoPeople } from '../../support/people.ts';
import { hasSocat, skippedSocat } from '../../support/pty.ts';
import { espruinoPath, skippedEspruino } from '../../support/run-espruino.ts';
import { quickTask } from '../../support/tasks.ts';
import { capture } from '../cli/run.ts';

const task = quickTask();
const people = twoPeople(task, 12, 1);

describe('runningKeeper()', () => {
  it.skipIf(!hasSocat || espruinoPath() === undefined)(
    `enters keys at a gateway that runs, which hears the board and its first model on a port of its own${skippedSocat}${skippedEspruino}`,
    async () => {
      const board = await bareEspruino();
      onTestFinished(board.close);
      const { directory, file, version } = await fleetData(task, people.ann.learn);
      const gateway = compose({ task, directory, clock: realClock, automatic: false, seed: 1 });
      const service = createService(gateway, { sentence: 'one port', startedAt: 0 });
      const api = await serveApi(service.call, { port: 0 });
      onTestFinished(async () => {
        await api.close();
        service.close();
        await gateway.close();
      });
      const io = { out: capture(), err: capture(), status: 0 };
      const flashing = run(
        [
          ...['flash', '--port', board.cable.path, '--board', 'espruino-linux', '--task', file],
          ...['--gateway', api.url, '--id', 'bench-2', '--json'],
          ...['--start', JSON.stringify(board.start)],
        ],
        io,
      );
      // the gateway's own start --port: it has the port once flashing has let go of it
      await Promise.race([
        flashing,
        vi.waitUntil(() => io.err.text.includes('waiting for its hello'), 40_000),
      ]);
      await gateway.loop.attach(serialPort(board.cable.path), realClock, true);
      expect([await flashing, io.err.text]).toEqual([0, expect.stringContaining('it runs')]);
      expect(JSON.parse(io.out.text)).toMatchObject({
        ...{ device: 'bench-2', suite: 'ccm', version, keptIn: `the gateway at ${api.url}` },
        done: { version, selfTest: null },
      });
      expect(gateway.store.devices.get('bench-2')).toMatchObject({ version, state: 1 });
      const [first] = people.ann.test;
      board.feed(first!.window, first!.length);
      await vi.waitUntil(() => gateway.store.samples.count({ device: 'bench-2' }) === 1, 40_000);
    },
    120_000,
  );
});
