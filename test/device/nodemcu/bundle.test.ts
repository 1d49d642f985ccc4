import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bundle } from '../../../device/build.ts';
import { buildLuaBundle } from '../../../device/build-lua.ts';
import { loadBoard } from '../../../gateway/board.ts';
import { loadTask } from '../../../gateway/task.ts';
import { hasLua, LUAS, skippedLua } from '../../support/lua.ts';
import { type LuaDevice, luaDevice } from '../../support/lua-device.ts';
import { type TinyModel, tinyModel, walk } from '../../support/tiny-model.ts';

let folder: string;
let bundle: Bundle;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'whetstone-nodemcu-'));
  bundle = buildLuaBundle({ board: loadBoard('esp8266-nodemcu'), task: loadTask('gesture') });
  writeFileSync(join(folder, 'bundle.lua'), bundle.code);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Boots the bundle in a folder of its own, does something, and ends it. */
async function withDevice(
  lua: string,
  act: (d: LuaDevice, boot: () => Promise<LuaDevice>) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  const cwd = mkdtempSync(join(folder, 'device-'));
  let d: LuaDevice | undefined;
  const boot = async (): Promise<LuaDevice> => {
    await d?.stop();
    d = await luaDevice({ lua, bundle: join(folder, 'bundle.lua'), cwd, env });
    await d.settle();
    return d;
  };
  try {
    await act(await boot(), boot);
  } finally {
    await d?.stop();
  }
}

async function update(d: LuaDevice, model: TinyModel): Promise<number[]> {
  d.gateway.statuses.length = 0;
  d.gateway.offer(model);
  await d.settle(4000);
  d.gateway.confirm(model.offer[0]);
  await d.settle(500);
  return d.gateway.statuses.map((status) => status[1]!);
}

for (const lua of LUAS) {
  describe.skipIf(!hasLua(lua))(`bundle on ${lua}${skippedLua(lua)}`, () => {
    it(
      'bundle says hello, learns a model, tests itself equal, predicts, confirms, and reverts',
      () =>
        withDevice(lua, async (first, boot) => {
          expect(first.gateway.hellos[0]!.slice(4, 7)).toEqual([
            'lua-1',
            'esp8266-nodemcu',
            'gesture',
          ]);
          expect(first.gateway.hellos[0]!.slice(9)).toEqual([0, 'lua', 4096]);
          expect(await first.feedWindow(walk(1), 50)).toBeUndefined();
          const [old, fresh] = [tinyModel(1), tinyModel(2)];
          expect(await update(first, old)).toEqual([1, 2, 3, 4, 5]);
          for (let i = 0; i < 20; i++) {
            const n = 50 - i;
            const window = walk(i).fill(0, n * 3);
            const { cls, score } = old.predict(window, n);
            expect(await first.feedWindow(window, n)).toEqual({ cls, score });
          }
          await first.settle();
          expect(first.gateway.samples).toHaveLength(20);
          const again = await boot();
          const right = old.predict(walk(7), 50);
          expect(await again.feedWindow(walk(7), 50)).toEqual({
            cls: right.cls,
            score: right.score,
          });
          again.gateway.offer(fresh);
          await again.settle(4000);
          const now = fresh.predict(walk(7), 50);
          expect(await again.feedWindow(walk(7), 50)).toEqual({ cls: now.cls, score: now.score });
          again.gateway.revert(2);
          await again.settle();
          expect(await again.feedWindow(walk(7), 50)).toEqual({
            cls: right.cls,
            score: right.score,
          });
        }),
      60_000,
    );
  });
}
