import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { bareEspruino } from '../../support/flashed-boards.ts';
import { hasSocat, skippedSocat } from '../../support/pty.ts';
import { espruinoPath, skippedEspruino } from '../../support/run-espruino.ts';

const entry = new URL('../../../gateway/cli/whetstone.js', import.meta.url).pathname;

/** Runs a command as a person does, who presses Ctrl-C once its progress says what matches. */
async function flashUntil(command: string, when?: RegExp) {
  const words = command.replace(/^whetstone /, `exec ${process.execPath} ${entry} `);
  const child = spawn('sh', ['-c', words], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  let isPressed = false;
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString();
    if (isPressed || when === undefined || !when.test(said)) return;
    isPressed = true;
    child.kill('SIGINT');
  });
  const [status] = await once(child, 'close');
  const last = said.trim().split('\n').at(-1)!;
  const [, again] =
    /\(go on with: (whetstone flash .*?)(, or whetstone start, .*)?\)$/.exec(last) ?? [];
  return { status, last, again: again! };
}

it.skipIf(!hasSocat || espruinoPath() === undefined)(
  `whetstone flash says what the board is like and how to go on when Ctrl-C stops it${skippedSocat}${skippedEspruino}`,
  async () => {
    const board = await bareEspruino();
    onTestFinished(board.close);
    const directory = mkdtempSync(join(tmpdir(), 'whetstone-stopped-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const start = JSON.stringify(board.start);
    const command =
      `whetstone flash --port ${board.cable.path} --board espruino-linux --id 'bench 1' ` +
      `--data-dir ${directory} --start '${start}'`;

    const looking = await flashUntil(command, /looking for the console/);
    expect(looking.status).toBe(1);
    expect(looking.last).toMatch(/^whetstone: flashing was stopped: nothing was written/);

    // each time by what the one before said
    const half = await flashUntil(looking.again, /[2-7]0 % runtime/);
    expect(half.status).toBe(1);
    expect(half.last).toMatch(/^whetstone: flashing was stopped: the board is half written/);

    const written = await flashUntil(half.again, /waiting for its hello/);
    expect(written.status).toBe(1);
    expect(written.last).toMatch(/^whetstone: flashing was stopped: the board is written and runs/);
    expect(written.last).toContain('or whetstone start');

    expect(await flashUntil(written.again)).toMatchObject({ status: 0 });
  },
  240_000,
);
