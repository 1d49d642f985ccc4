import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadTask } from '../../gateway/task.ts';
import { temporary } from '../support/loop-world.ts';
import { writeFolder } from '../support/recordings-folder.ts';

const program = join(import.meta.dirname, '../../gateway/cli/whetstone.js');

describe('whetstone replay', () => {
  it('leaves nothing behind when SIGTERM ends it', async () => {
    const dir = writeFolder(join(temporary(), 'recordings'), loadTask('gesture'), [4, 4]);
    const scratch = join(temporary(), 'scratch');
    mkdirSync(scratch);
    const who = ['--task', 'gesture', '--data', dir, '--from', 'ann', '--to', 'bob'];
    const args = [program, 'replay', ...who, '--labels-per-class', '1', '--seeds', '20'];
    const env = { ...process.env, TMPDIR: scratch };
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += String(chunk);
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const left = () => readdirSync(scratch).filter((name) => name.startsWith('whetstone-replay-'));
    while (left().length === 0) {
      expect(child.exitCode, err).toBe(null);
      await setTimeout(20);
    }
    child.kill('SIGTERM');
    const status = await ended;
    expect(left()).toEqual([]);
    expect(status, err).toBeGreaterThan(0);
    expect(err).toContain('the replay was');
  });
});
