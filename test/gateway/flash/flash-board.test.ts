import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Composed, compose } from '../../../gateway/compose.ts';
import type { Flashed } from '../../../gateway/flash/flash-board.ts';
import { realClock } from '../../../gateway/link/port.ts';
import { serialPort } from '../../../gateway/link/serial.ts';
import type { Recording } from '../../../gateway/recordings.ts';
import { bareEspruino, bareNodemcu, type TestBoard } from '../../support/flashed-boards.ts';
import { fleetData } from '../../support/fleet-data.ts';
import { hasLua, skippedLua } from '../../support/lua.ts';
import { twoPeople } from '../../support/people.ts';
import { hasSocat, skippedSocat } from '../../support/pty.ts';
import { espruinoPath, skippedEspruino } from '../../support/run-espruino.ts';
import { quickTask } from '../../support/tasks.ts';
import { whetstone } from '../cli/run.ts';

const task = quickTask({ rollout: { canaryShare: 0.34, soakWindows: 3, trialWindows: 40 } });
const people = twoPeople(task, 12, 1);
/** Time on the device from one window to the next: longer than a window. */
const STEP_MS = 4000;
const ID = 'bench-1';

/** Everything from the bare board on: flash, stream, canary, rollback, each with its cable pulled. */
async function wholeLife(board: TestBoard, name: string, allowWeakLink: boolean): Promise<void> {
  onTestFinished(board.close);
  const { directory, file, version, next } = await fleetData(task, people.ann.learn);
  const flash = (...more: string[]) =>
    whetstone(
      ...['flash', '--port', board.cable.path, '--board', name, '--task', file],
      ...['--data-dir', directory, '--id', ID, '--json', '--start', JSON.stringify(board.start)],
      ...(allowWeakLink ? ['--allow-weak-link'] : []),
      ...more,
    );

  const dry = await flash('--dry-run');
  expect(JSON.parse(dry.out)).toMatchObject({ device: ID, version });
  expect(JSON.parse(dry.out).done).toBeUndefined();

  // the cable is pulled while the runtime is written: what is to be done is said, and does
  board.cable.cutAfter(9000);
  const cut = await flash();
  expect([cut.status, cut.out]).toEqual([1, '']);
  expect(cut.err).toMatch(/lost .*plug the board in again and run the same command/);
  await board.restart();
  await board.cable.plug();
  const { status, out, err } = await flash();
  expect([status, err]).toEqual([0, expect.stringContaining('100 %')]);
  const flashed = JSON.parse(out) as Flashed;
  expect(flashed.done).toMatchObject({ version, selfTest: 'equal' });
  expect(flashed.done!.sentBytes).toBeGreaterThan(flashed.runtimeBytes);

  const gateway: Composed = compose({
    ...{ task, directory, clock: realClock, automatic: false, seed: 1, allowWeakLink },
  });
  const { loop, store } = gateway;
  await loop.attach(serialPort(board.cable.path));
  await vi.waitUntil(() => loop.online.has(ID), 40_000);
  let made = 0;
  const step = async ({ window, length }: Recording, label?: number): Promise<void> => {
    board.pass(STEP_MS);
    board.feed(window, length, label);
    made++;
    await vi.waitUntil(() => store.samples.count({ device: ID }) === made, 40_000);
  };
  const finish = async (id: string, windows: readonly Recording[], stage: string) => {
    for (let i = 0; i < 12 && loop.rollouts.get(id)!.stage !== stage; i++) {
      await step(windows[i % windows.length]!);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const is = loop.rollouts.get(id)!;
    const odd = store.samples.find({ device: ID }).map(({ quarantine }) => quarantine);
    expect(is.stage, JSON.stringify([is, odd])).toBe(stage);
  };
  /** Pulls the cable once so many bytes have gone out, and plugs it in again. */
  const pull = async (bytes: number): Promise<void> => {
    board.cable.cutAfter(bytes);
    await board.cable.pulled;
    await vi.waitUntil(() => !loop.online.has(ID), 40_000);
    await board.cable.plug();
    await vi.waitUntil(() => loop.online.has(ID), 40_000);
  };

  // power is off and on: it runs its model, streams, and what it says is stored once
  const [first] = people.ann.test;
  await step(first!);
  await board.restart();
  await vi.waitUntil(() => loop.online.has(ID), 40_000);
  for (const recording of people.ann.test.slice(1, 4)) await step(recording);
  expect(store.devices.get(ID)).toMatchObject({ version, state: 1 });

  // a canary's update, its cable pulled in the middle of the parts
  const id = loop.rollouts.start(next, {
    ...{ who: 'test', why: 'a canary', settings: task.rollout },
  });
  expect(loop.rollouts.get(id)!.members[ID]).toMatchObject({ canary: true });
  await pull(300);
  await finish(id, people.ann.test, 'settled');
  expect(store.devices.get(ID)).toMatchObject({ version: next, state: 1 });

  // and back, with the cable pulled as it is asked
  loop.rollouts.rollback(next, { who: 'test', why: 'to see it' });
  await pull(20);
  await finish(id, people.ann.test, 'returned');
  expect(store.devices.get(ID)).toMatchObject({ version, state: 1 });
  expect(store.samples.find({ device: ID }).map(({ quarantine }) => quarantine)).toEqual(
    Array.from({ length: made }, () => null),
  );

  // a board that runs gives its console back, and goes on after it was only looked at
  await gateway.close();
  const again = await flash(...(allowWeakLink ? ['--dry-run'] : []));
  if (allowWeakLink) expect(JSON.parse(again.out).device).toBe(ID);
  else expect(again.err).toContain(`'${ID}' has keys, and was heard with them`);
  const other = compose({
    ...{ task, directory, clock: realClock, automatic: false, seed: 1, allowWeakLink },
  });
  onTestFinished(() => other.close());
  await other.loop.attach(serialPort(board.cable.path));
  await vi.waitUntil(() => other.loop.online.has(ID), 40_000);
}

describe('flashBoard()', () => {
  it.skipIf(!hasSocat || espruinoPath() === undefined)(
    `makes a device of a bare Espruino, whatever cable is pulled when${skippedSocat}${skippedEspruino}`,
    async () => {
      await wholeLife(await bareEspruino(), 'espruino-linux', false);
    },
    180_000,
  );

  it.skipIf(!hasSocat || !hasLua('lua5.3'))(
    `makes a device of a double of NodeMCU on an ESP32, whatever cable is pulled when${skippedSocat}${skippedLua('lua5.3')}`,
    async () => {
      const board = await bareNodemcu({ lua: 'lua5.3', env: { WITHOUT_FILE: '1' } });
      await wholeLife(board, 'esp32-nodemcu', true);
    },
    180_000,
  );
});
