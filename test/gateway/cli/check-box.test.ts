import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  checkAccelerators,
  checkBle,
  checkClock,
  checkDataDir,
  checkPorts,
} from '../../../gateway/cli/check-box.ts';
import type { Check } from '../../../gateway/cli/checks.ts';
import { temporary } from '../../support/loop-world.ts';

const isRoot = process.getuid?.() === 0;

function broken(check: Check | undefined): Check {
  expect(check).toMatchObject({ ok: false });
  expect(check!.means).not.toBe('');
  expect(check!.mend).not.toBe('');
  return check!;
}

describe('checkPorts()', () => {
  it('sees a port that is not there, and one that another program holds', async (ctx) => {
    const directory = temporary();
    const path = join(directory, 'tty');
    expect(broken(checkPorts([path], directory)[0]).found).toBe('not there');
    writeFileSync(path, '');
    expect(checkPorts([path], directory)).toMatchObject([{ ok: true, name: `port ${path}` }]);
    const holder = spawn('sh', ['-c', 'exec 3<"$0"; sleep 60', path], { stdio: 'ignore' });
    ctx.onTestFinished(() => void holder.kill());
    await vi.waitFor(() => {
      const held = broken(checkPorts([path], directory)[0]);
      expect(held.found).toContain(`process ${holder.pid}`);
    }, 10_000);
  });

  it.skipIf(isRoot)(
    `names the group that may use it${isRoot ? ' (skipped: root may use every port)' : ''}`,
    () => {
      const path = join(temporary(), 'tty');
      writeFileSync(path, '');
      chmodSync(path, 0);
      expect(broken(checkPorts([path], '.')[0]).mend).toContain('usermod -aG');
    },
  );
});

describe('checkBle()', () => {
  it('is a lack where a board by Bluetooth is configured', () => {
    expect(checkBle([], 'unsupported').ok).toBe(true);
    expect(checkBle(['puck-1'], undefined).ok).toBe(true);
    expect(broken(checkBle(['puck-1'], 'unsupported')).means).toContain('puck-1');
    expect(broken(checkBle(['puck-1'], 'unauthorized')).mend).toContain('setcap');
  });
});

describe('checkDataDir()', () => {
  it('sees that it is none, that others may write it, and what is not its owner’s', () => {
    const directory = join(temporary(), 'data');
    expect(checkDataDir(directory).ok).toBe(true);
    writeFileSync(directory, '');
    expect(broken(checkDataDir(directory))).toMatchObject({ needed: true });
    rmSync(directory);
    mkdirSync(directory, { mode: 0o755 });
    expect(checkDataDir(directory)).toMatchObject({ ok: true });
    chmodSync(directory, 0o777);
    expect(broken(checkDataDir(directory)).mend).toBe(`chmod go-w ${directory}`);
    chmodSync(directory, 0o700);
    expect(checkDataDir(directory)).toMatchObject({ ok: true });
  });
});

describe('checkClock()', () => {
  const now = Date.UTC(2026, 5, 1);

  it('believes what synchronises it, and no clock of long ago', () => {
    const says = (answers: Record<string, string>) => (command: string) => answers[command];
    expect(checkClock(now, says({ timedatectl: 'yes' })).ok).toBe(true);
    expect(broken(checkClock(now, says({ timedatectl: 'no' }))).mend).toContain('set-ntp true');
    const chronyc = 'Reference ID : 1\nLeap status     : Normal\n';
    expect(checkClock(now, says({ timedatectl: 'no', chronyc })).ok).toBe(true);
    expect(checkClock(now, says({})).found).toContain('nobody says');
    expect(broken(checkClock(0, says({ timedatectl: 'yes' }))).found).toContain('1970');
  });
});

describe('checkAccelerators()', () => {
  it('knows them by their device files and USB ids', () => {
    const root = temporary();
    expect(checkAccelerators(root).found).toMatch(/^none/);
    const stick = join(root, 'sys/bus/usb/devices/1-1');
    mkdirSync(stick, { recursive: true });
    writeFileSync(join(stick, 'idVendor'), '18d1\n');
    writeFileSync(join(stick, 'idProduct'), '9302\n');
    mkdirSync(join(root, 'dev'));
    writeFileSync(join(root, 'dev/hailo0'), '');
    expect(checkAccelerators(root).found).toBe('Coral Edge TPU, Hailo: not used yet');
  });
});
