import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { holdersOf, lastingName, permissionCure } from '../../../gateway/link/serial-cure.ts';

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cure-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('holdersOf()', () => {
  it('names the programs whose descriptors lead to the port, and nobody else', () => {
    const folder = temporary();
    const port = join(folder, 'ttyACM0');
    writeFileSync(port, '');
    const proc = join(folder, 'proc');
    for (const [pid, name, target] of [
      ['12', 'screen', port],
      ['13', 'vim', join(folder, 'other')],
      ['fs', 'no-process', port],
    ] as const) {
      mkdirSync(join(proc, pid, 'fd'), { recursive: true });
      writeFileSync(join(proc, pid, 'comm'), `${name}\n`);
      symlinkSync(target, join(proc, pid, 'fd', '3'));
    }
    symlinkSync(port, join(folder, 'by-id'));
    expect(holdersOf(join(folder, 'by-id'), proc)).toEqual(['screen (process 12)']);
    expect(holdersOf(join(folder, 'gone'), proc)).toEqual([]);
  });
});

describe('permissionCure()', () => {
  it('names the group that owns the port, and this user', () => {
    const folder = temporary();
    const port = join(folder, 'ttyUSB0');
    writeFileSync(port, '');
    const groups = join(folder, 'group');
    const { gid, username } = userInfo();
    writeFileSync(groups, `others:x:99999:\nuucp:x:${gid}:\n`);
    expect(permissionCure(port, groups)).toContain(
      `sudo usermod -aG uucp ${username}, then log in`,
    );
    expect(permissionCure(join(folder, 'gone'), groups)).toContain('-aG dialout ');
  });
});

describe('lastingName()', () => {
  it('finds the link of a port that keeps its name, and none where there is none', () => {
    const folder = temporary();
    const byId = join(folder, 'by-id');
    mkdirSync(byId);
    for (const name of ['ttyACM0', 'ttyACM1']) writeFileSync(join(folder, name), '');
    symlinkSync('../ttyACM1', join(byId, 'usb-Espruino_1234'));
    expect(lastingName(join(folder, 'ttyACM1'), byId)).toBe(join(byId, 'usb-Espruino_1234'));
    expect(lastingName(join(folder, 'ttyACM0'), byId)).toBeUndefined();
    expect(lastingName(join(byId, 'usb-Espruino_1234'), byId)).toBeUndefined();
  });
});
