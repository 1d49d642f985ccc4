import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadBoard } from '../../../gateway/board.ts';
import { nodemcuUploader } from '../../../gateway/flash/nodemcu.ts';
import { serialPort } from '../../../gateway/link/serial.ts';
import { bareNodemcu } from '../../support/flashed-boards.ts';
import { temporary } from '../../support/loop-world.ts';
import { hasLua, skippedLua } from '../../support/lua.ts';
import { hasSocat, skippedSocat } from '../../support/pty.ts';
import { whetstone } from '../cli/run.ts';

/** What stands for luac.cross: Lua's own compiler, without the option for the flash store. */
function luacCross(folder: string): string {
  const path = join(folder, 'luac.cross');
  writeFileSync(path, '#!/bin/sh\n[ "$1" = -f ] && shift && exec luac5.1 -s "$@"\n', {
    mode: 0o755,
  });
  return path;
}

describe.skipIf(!hasSocat || !hasLua('lua5.1') || !hasLua('luac5.1'))(
  `nodemcuUploader()${skippedSocat}${skippedLua('lua5.1')}${skippedLua('luac5.1')}`,
  () => {
    it('burns the runtime into the flash store of an ESP8266, and its button keeps the console', async () => {
      const board = await bareNodemcu({ lua: 'lua5.1' });
      onTestFinished(board.close);
      const folder = temporary();
      const flash = (...more: string[]) =>
        whetstone(
          ...['flash', '--port', board.cable.path, '--board', 'esp8266-nodemcu', '--json'],
          ...['--allow-weak-link', '--data-dir', join(folder, 'data'), ...more],
        );
      const without = await flash();
      expect([without.status, without.err]).toEqual([1, expect.stringContaining('--luac PATH')]);
      const { status, out, err } = await flash('--luac', luacCross(folder));
      expect([status, err]).toEqual([0, expect.stringContaining('it runs')]);
      expect(JSON.parse(out)).toMatchObject({
        ...{ device: 'esp8266-nodemcu-234567', suite: 'none', version: null },
        done: { tier: 'lua', selfTest: null },
      });

      board.press(true);
      await board.restart();
      board.press(true);
      board.pass(3000);
      const profile = loadBoard('esp8266-nodemcu');
      const open = () => serialPort(board.cable.path);
      const made = nodemcuUploader(open, profile, {});
      onTestFinished(made.close);
      expect(await made.look()).toMatchObject({
        ...{ firmware: 'ESP8266', foreign: [], problems: [], wasRunning: false },
      });
    });

    it('begins afresh on what a cable that was pulled at any moment has left', async () => {
      const board = await bareNodemcu({ lua: 'lua5.1', env: { WITHOUT_FILE: '1' } });
      onTestFinished(board.close);
      const open = () => serialPort(board.cable.path);
      const made = nodemcuUploader(open, loadBoard('esp32-nodemcu'), {});
      onTestFinished(made.close);
      const payload = {
        runtime: Buffer.from('whetstone = function(o) print("<hello "..o.id..">") end'),
        ...{ start: { id: 'x' }, slot: new Uint8Array(0) },
      };
      let cuts = 0;
      for (let bytes = 90; ; bytes += 170) {
        expect(await made.look()).toMatchObject({ foreign: [], wasRunning: false });
        board.cable.cutAfter(bytes);
        const done = await made
          .upload(payload, () => {})
          .then(
            () => true,
            (error: { code: string }) => error.code !== 'port',
          );
        if (done) break;
        cuts++;
        await made.close();
        await board.cable.plug();
      }
      expect(cuts).toBeGreaterThan(5);
    });

    it('names an init.lua that is not its own, and a chip that is another', async () => {
      const board = await bareNodemcu({ lua: 'lua5.1' });
      onTestFinished(board.close);
      const open = () => serialPort(board.cable.path);
      const made = nodemcuUploader(open, loadBoard('esp32-nodemcu'), {});
      onTestFinished(made.close);
      board.write('init.lua', 'print("mine")');
      const facts = await made.look();
      expect(facts.foreign).toEqual(['init.lua']);
      expect(facts.problems).toEqual(['it is an ESP8266, not an ESP32']);
    });
  },
);
