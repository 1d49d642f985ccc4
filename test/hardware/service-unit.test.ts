import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const unit = readFileSync(join(root, 'hardware/gateway/whetstone.service'), 'utf8');
const lines = unit.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const canAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
const skipped = canAnalyze ? '' : ' (skipped: systemd-analyze is not installed)';
/** systemd's own word for 'OK' ends here; the higher, the more a break-in could do. */
const MOST_EXPOSED = 2.5;

/** What systemd says of the unit, with the program where this machine has one. */
function analyze(...args: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-unit-'));
  const path = join(folder, 'whetstone.service');
  writeFileSync(path, unit.replaceAll('/opt/whetstone/node_modules/.bin/node', process.execPath));
  const { stdout, stderr, status } = spawnSync('systemd-analyze', [...args, path], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  return `${status} ${stdout}${stderr}`;
}

describe('hardware/gateway/whetstone.service', () => {
  it('starts a program and names a document that are in the repository', () => {
    for (const [, path] of unit.matchAll(/\/opt\/whetstone\/((?:gateway|docs)\/\S+)/g)) {
      expect(existsSync(join(root, path!)), path).toBe(true);
    }
  });

  it('waits longer for the gateway to stop than the gateway itself', () => {
    const stop = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
    const start = readFileSync(join(root, 'gateway/cli/start.ts'), 'utf8');
    expect(stop * 1000).toBeGreaterThan(
      Number(/STOP_MS = ([\d_]+)/.exec(start)![1]!.replace('_', '')),
    );
  });

  it('leaves out what would end V8, and names the credentials as the gateway does', () => {
    expect(lines.some((line) => line.startsWith('MemoryDenyWriteExecute'))).toBe(false);
    for (const [, name] of unit.matchAll(/LoadCredential(?:Encrypted)?=([^:]+):/g)) {
      const sources = ['gateway/api/tls.ts', 'gateway/store/store-key.ts'].map((file) =>
        readFileSync(join(root, file), 'utf8'),
      );
      expect(
        sources.some((text) => text.includes(`'${name}'`)),
        name,
      ).toBe(true);
    }
  });

  it('gives Bluetooth what it needs where its two lines are no comments', () => {
    const open = unit.replaceAll(/^#(CapabilityBoundingSet|AmbientCapabilities)=/gm, '$1=');
    // an empty line takes back what stood before it
    const sets = [...open.matchAll(/^CapabilityBoundingSet=(.*)$/gm)].map(([, caps]) => caps);
    expect(sets).toEqual(['', 'CAP_NET_ADMIN CAP_NET_RAW']);
  });

  it.runIf(canAnalyze)(`is a valid unit, and little exposed${skipped}`, () => {
    expect(analyze('verify')).toBe('0 ');
    const exposed = /Overall exposure level for \S+: ([\d.]+)/.exec(
      analyze('security', '--offline=true', '--no-pager'),
    );
    expect(Number(exposed?.[1])).toBeLessThan(MOST_EXPOSED);
  });
});
