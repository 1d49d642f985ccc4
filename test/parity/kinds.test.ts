import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBundle } from '../../device/build.ts';
import { buildLuaBundle } from '../../device/build-lua.ts';
import { answersOf } from '../../gateway/answers.ts';
import { offered, type TinyModel } from '../../gateway/bench/faults/tiny-model.ts';
import { loadBoard } from '../../gateway/board.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import { createVirtualDevice, type Prediction } from '../../gateway/link/virtual/device.ts';
import { spawnEspruino } from '../../gateway/link/virtual/espruino-process.ts';
import { machine, machineRecordings, remounted } from '../../gateway/synthetic/machine.ts';
import { loadTask } from '../../gateway/task.ts';
import { createPredictor, encodeModel, type ModelParts } from '../../gateway/train/model.ts';
import { trainRung } from '../../gateway/train/rungs.ts';
import { hasLua, LUAS, skippedLua } from '../support/lua.ts';
import { luaDevice } from '../support/lua-device.ts';
import { type MiniGateway, miniGateway } from '../support/mini-gateway.ts';
import { espruinoPath, skippedEspruino } from '../support/run-espruino.ts';

/** Windows that every device says its mind of: some well, some not, on a machine and after a change. */
const WINDOWS = 24;
/** accepted, installed, self-test equal, trial, confirmed; docs/link.md */
const HEALTHY = [1, 2, 3, 4, 5];

const tasks = ['motor-speed', 'motor-health'].map(loadTask);
const before = machine(1);
const models = new Map<string, { parts: ModelParts; offer: TinyModel }>();
const windows = new Map(
  tasks.map((task) => {
    const half = WINDOWS / 2;
    const faulty = task.kind === 'anomaly' ? 0.5 : 0;
    return [
      task.name,
      [
        ...machineRecordings(task, before, half, 8, faulty),
        ...machineRecordings(task, remounted(before, 1), half, 9, faulty),
      ],
    ];
  }),
);
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'whetstone-kinds-'));
  for (const task of tasks) {
    const data = { fresh: machineRecordings(task, before, 150, 1), old: [], recent: [] };
    const { model } = await trainRung('whole', task, null, data, { seed: 1 });
    const parts = encodeModel(model);
    const values = task.window.samples * task.sensor.axes.length;
    models.set(task.name, { parts, offer: offered(parts, { release: 1, values }) });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An answer and its score: of two answers alone, a small error would show in none of the windows. */
type Said = [answer: number, score: number];

/** What the gateway says of the windows, as a device would: before a step is read out of a score. */
function expected(name: string): Said[] {
  const predict = createPredictor(models.get(name)!.parts);
  return windows.get(name)!.map(({ window, length }) => {
    const { cls, score } = predict(window, length);
    return [cls, score];
  });
}

/** The answers of a device that is given the model and the windows. */
async function answersFrom(
  name: string,
  gateway: MiniGateway,
  until: (holds: () => boolean) => Promise<void>,
  feed: (values: Int8Array, n: number) => Promise<Prediction | undefined>,
): Promise<Said[]> {
  const answers = answersOf(loadTask(name));
  const codes = (): number[] => gateway.statuses.map(([, code]) => code!);
  await until(() => gateway.hellos.length > 0);
  gateway.offer(models.get(name)!.offer);
  await until(() => codes().includes(4));
  gateway.confirm(1);
  await until(() => codes().includes(5));
  expect(codes()).toEqual(HEALTHY);
  const said: Said[] = [];
  for (const { window, length } of windows.get(name)!) {
    const prediction = (await feed(window, length))!;
    said.push([answers.of(prediction), prediction.score]);
  }
  return said;
}

for (const task of tasks) {
  const { name } = task;
  describe(`a bundle for the task ${name}`, () => {
    it('says on a virtual device what the gateway says', async () => {
      const board = loadBoard('puckjs');
      const bundle = await buildBundle({ board, task });
      const clock = virtualClock(Date.UTC(2026, 0, 1));
      const device = createVirtualDevice({ bundle, id: 'v', board, clock, seed: 1 });
      const gateway = await miniGateway(device.port);
      const until = async (holds: () => boolean): Promise<void> => {
        for (let i = 0; i < 400 && !holds(); i++) await clock.advance(250);
        expect(holds()).toBe(true);
      };
      const said = await answersFrom(name, gateway, until, async (w, n) => device.feedWindow(w, n));
      await device.dispose();
      expect(said).toEqual(expected(name));
      expect(new Set(said.map(([answer]) => answer)).size).toBeGreaterThan(
        task.kind === 'anomaly' ? 1 : WINDOWS / 2,
      );
    });

    it.skipIf(espruinoPath() === undefined)(
      `says on a real Espruino what the gateway says${skippedEspruino}`,
      async () => {
        const bundle = await buildBundle({ board: loadBoard('espruino-linux'), task });
        const cwd = mkdtempSync(join(folder, 'espruino-'));
        const device = await spawnEspruino({ path: espruinoPath()!, bundle, id: 'real', cwd });
        try {
          const gateway = await miniGateway(device.port);
          const until = async (holds: () => boolean): Promise<void> => {
            const deadline = Date.now() + 30_000;
            while (!holds() && Date.now() < deadline) await new Promise((r) => setTimeout(r, 20));
            expect(holds(), device.output()).toBe(true);
          };
          const said = await answersFrom(name, gateway, until, (w, n) => device.feedWindow(w, n));
          expect(said).toEqual(expected(name));
        } finally {
          await device.stop();
        }
      },
      120_000,
    );

    for (const lua of LUAS) {
      it.skipIf(!hasLua(lua))(
        `says on ${lua} what the gateway says${skippedLua(lua)}`,
        async () => {
          const path = join(folder, `${name}-${lua}.lua`);
          const { code } = buildLuaBundle({ board: loadBoard('esp8266-nodemcu'), task });
          writeFileSync(path, code);
          const device = await luaDevice({
            lua,
            bundle: path,
            cwd: mkdtempSync(join(folder, 'lua-')),
          });
          try {
            const until = async (holds: () => boolean): Promise<void> => {
              for (let i = 0; i < 20 && !holds(); i++) await device.settle();
              expect(holds()).toBe(true);
            };
            const said = await answersFrom(name, device.gateway, until, (w, n) =>
              device.feedWindow(w, n),
            );
            expect(said).toEqual(expected(name));
          } finally {
            await device.stop();
          }
        },
        60_000,
      );
    }
  });
}
