import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { buildBundle } from '../../device/build.ts';
import { loadBoard } from '../../gateway/board.ts';
import { type Composed, compose } from '../../gateway/compose.ts';
import { importRecordings } from '../../gateway/imports.ts';
import { blePort } from '../../gateway/link/ble.ts';
import { bleRadio } from '../../gateway/link/ble-radio.ts';
import { type Clock, type Port, realClock } from '../../gateway/link/port.ts';
import { type AirDevice, type BleAir, bleAir } from '../../gateway/link/virtual/ble-air.ts';
import { createVirtualDevice } from '../../gateway/link/virtual/device.ts';
import { spawnEspruino } from '../../gateway/link/virtual/espruino-process.ts';
import { type FlashImage, flatImage, VirtualFlash } from '../../gateway/link/virtual/flash.ts';
import { VirtualStorage } from '../../gateway/link/virtual/storage.ts';
import type { Recording } from '../../gateway/recordings.ts';
import { createService } from '../../gateway/service.ts';
import { hasBle, skippedBle } from '../support/ble.ts';
import { temporary } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { espruinoPath, skippedEspruino } from '../support/run-espruino.ts';
import { quickTask } from '../support/tasks.ts';

const task = quickTask({ rollout: { canaryShare: 0.34, soakWindows: 3, trialWindows: 40 } });
const people = twoPeople(task, 12, 12);
/** Time on the devices from one window to the next: longer than a window. */
const STEP_MS = 4000;

/** A device that is fed with windows, and the port that it is reached by without a radio. */
interface Fed {
  id: string;
  port: Port;
  mtu: number;
  /** @param label what its wearer says that it was */
  feed(recording: Recording, label?: number): Promise<{ cls: number } | undefined>;
}

/** Flash as flashing leaves it: an empty slot file, and the keys that `keys add` gave. */
async function flashed(gateway: Composed, id: string, boardName: string): Promise<FlashImage> {
  const board = loadBoard(boardName);
  const { call, close } = createService(gateway, { sentence: '', startedAt: 0 });
  const { image } = await call.addKeys({ device: id, board: boardName });
  close();
  const flash = new VirtualFlash(board.flash);
  const { start, pageBytes } = board.flash;
  new VirtualStorage(flash).write('ws.slot', 'ws', 0, (3 + 2 * board.slotPages) * pageBytes - 32);
  flash.write(start + pageBytes, new Uint8Array(Buffer.from(image, 'base64').subarray(0, 64)));
  return flash.image();
}

/** The built bundle on the double of a Puck.js, which lives faster than the test. */
async function puck(gateway: Composed, id: string): Promise<Fed> {
  const board = loadBoard('puckjs');
  const bundle = await buildBundle({ board, task, suite: 'ccm' });
  let aheadMs = 0;
  const clock: Clock = { ...realClock, now: () => Date.now() + aheadMs };
  const flash = await flashed(gateway, id, board.name);
  const device = createVirtualDevice({ bundle, id, board, clock, flash });
  onTestFinished(() => device.dispose());
  return {
    ...{ id, port: device.port, mtu: 53 },
    feed: async ({ window, length }, label) => {
      aheadMs += STEP_MS;
      return device.feedWindow(window, length, label);
    },
  };
}

/** The built bundle on a real Espruino. */
async function espruino(gateway: Composed, id: string): Promise<Fed> {
  const board = loadBoard('espruino-linux');
  const bundle = await buildBundle({ board, task, suite: 'ccm' });
  const cwd = mkdtempSync(join(temporary(), 'espruino-'));
  const flash = await flashed(gateway, id, board.name);
  writeFileSync(join(cwd, 'espruino.flash'), flatImage(board.flash, flash));
  const device = await spawnEspruino({ path: espruinoPath() as string, bundle, id, cwd });
  onTestFinished(() => device.stop());
  await device.run(
    'var realTime=getTime,aheadS=0;global.getTime=function(){return realTime()+aheadS}',
  );
  return {
    ...{ id, port: device.port, mtu: 131 },
    feed: async ({ window, length }, label) => {
      await device.run(`aheadS+=${STEP_MS / 1000}`);
      return device.feedWindow(window, length, label);
    },
  };
}

/** Devices on the air, and the gateway's radio. */
async function onTheAir(gateway: Composed, fed: Fed[]) {
  const air: BleAir = await bleAir();
  const radio = bleRadio(air.noble);
  const devices: AirDevice[] = [];
  for (const [i, { id, port, mtu }] of fed.entries()) {
    devices.push(await air.add(port, { address: `c0:ff:ee:00:00:0${i}`, name: id, mtu }));
    await gateway.loop.attach(blePort(radio, id), realClock, true);
  }
  const end = async (): Promise<void> => {
    await gateway.close();
    radio.close();
    await air.close();
  };
  return { air, devices, end };
}

describe.skipIf(!hasBle || espruinoPath() === undefined)(
  `the loop over Bluetooth${skippedBle}${skippedEspruino}`,
  () => {
    it('streams, updates a canary through a dropped connection, confirms, and rolls back', async () => {
      const gateway = compose({
        ...{ task, directory: ':memory:', clock: realClock, automatic: false, seed: 1 },
      });
      const { loop, store } = gateway;
      const fed = [await puck(gateway, 'puck-1'), await espruino(gateway, 'real-1')];
      const { air, devices, end } = await onTheAir(gateway, fed);
      onTestFinished(end);
      const stored = (id: string): number => store.samples.count({ device: id });
      const made: Record<string, number> = { 'puck-1': 0, 'real-1': 0 };

      /** Every device sees a window; waits until what they said of it is durable. */
      const step = async (recording: Recording, label?: number): Promise<void> => {
        for (const one of fed) {
          if ((await one.feed(recording, label)) !== undefined) made[one.id]!++;
        }
        await vi.waitUntil(() => fed.every(({ id }) => stored(id) === made[id]), 30_000);
      };
      /** Feeds windows until a rollout has come to one of these stages. */
      const finish = async (id: string, windows: readonly Recording[], ...stages: string[]) => {
        for (let i = 0; i < 60; i++) {
          // what the devices say of the update arrives between two windows
          const { stage } = loop.rollouts.get(id)!;
          if (stages.includes(stage)) return;
          await step(windows[i % windows.length]!);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error(JSON.stringify(loop.rollouts.get(id)));
      };
      const runs = (version: string): boolean =>
        fed.every(({ id }) => store.devices.get(id)?.version === version);

      await vi.waitUntil(() => fed.every(({ id }) => loop.online.has(id)), 30_000);
      expect(fed.map(({ id }) => loop.linkOf(id))).toEqual([
        { suite: 'ccm', weak: false },
        { suite: 'ccm', weak: false },
      ]);

      // a first model, to both at once
      await importRecordings(store, task, 'ann', people.ann.learn, Date.now());
      const first = await loop.heal({ kind: 'fleet', id: '' });
      await finish(first.rollout!, people.ann.test, 'settled');
      expect(runs(first.version!)).toBe(true);

      // another wearer, who says what he did: a second one, whose canary loses the connection midway
      for (const recording of people.bob.learn.slice(0, 15)) await step(recording, recording.cls);
      const second = await loop.heal({ kind: 'fleet', id: '' });
      const rollout = () => loop.rollouts.get(second.rollout!)!;
      const canary = fed.findIndex(({ id }) => rollout().members[id]?.canary);
      const { id } = fed[canary]!;
      const device = devices[canary]!;
      const before = device.count.received;
      const members: string[] = [];
      let drops = 0;
      device.onReceive = () => {
        const { stage } = rollout().members[id]!;
        if (stage !== members.at(-1)) members.push(stage);
        if (drops > 0 || stage !== 'transferring' || device.count.received - before < 480) return;
        drops++;
        air.controller.drop(device.peripheral);
      };
      await finish(second.rollout!, people.bob.test, 'settled');
      expect([drops, members.slice(0, 2)]).toEqual([1, ['offered', 'transferring']]);
      expect(rollout().members[id]).toMatchObject({ stage: 'confirmed', canary: true });
      expect(runs(second.version!)).toBe(true);
      // it went on where it was: what its updates cost beyond the other's is an offer, and the piece that
      // was on its way, not the 480 bytes again
      const [mine, other] = [id, fed[1 - canary]!.id].map((one) =>
        loop.wireBytes(rollout().release, one),
      );
      expect(mine! - other!).toBeLessThan(400);

      // a peripheral that is off for a while misses nothing that it can still hold
      air.controller.remove(device.peripheral);
      await vi.waitUntil(() => !loop.online.has(id), 30_000);
      for (const recording of people.bob.test.slice(0, 3)) {
        if ((await fed[canary]!.feed(recording)) !== undefined) made[id]!++;
      }
      expect(stored(id)).toBe(made[id]! - 3);
      air.controller.add(device.peripheral);
      await vi.waitUntil(() => stored(id) === made[id], 30_000);

      // and all the way back
      loop.rollouts.rollback(second.version!, { who: 'test', why: 'to see it' });
      await finish(second.rollout!, people.bob.test, 'returned');
      expect(runs(first.version!)).toBe(true);
      for (const { id: one } of fed) {
        expect(loop.online.get(one)!.stats()).toMatchObject({ badMessages: 0, lost: 0 });
        expect(store.samples.find({ device: one }).map(({ quarantine }) => quarantine)).toEqual(
          Array.from({ length: made[one]! }, () => null),
        );
      }
    });
  },
);
