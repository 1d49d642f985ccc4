import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Check, checkMachine } from '../../../gateway/cli/checks.ts';
import { whetstone } from './run.ts';

const of = (checks: Check[], name: string) => checks.find((check) => check.name === name)!;

describe('checkMachine()', () => {
  it('says what each lack means and which command mends it', async () => {
    const checks = await checkMachine({ PATH: '/nowhere' }, '/nowhere/data');
    for (const check of checks) {
      expect(check.found).not.toBe('');
      expect(check.means === '').toBe(check.ok);
      expect(check.mend === '').toBe(check.ok);
    }
    for (const name of ['socat', 'lua', 'chromium', 'espruino']) {
      expect(of(checks, name).ok).toBe(false);
    }
    expect(of(checks, 'socat').mend).toBe('sudo apt-get install socat');
    expect(of(checks, 'sqlite')).toMatchObject({ ok: true, needed: true });
    expect(of(checks, 'trainer builtin').ok).toBe(true);
    expect(of(checks, 'disk').found).toContain('GB free for /nowhere/data');
  });

  it('finds what is there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
    for (const name of ['socat', 'lua5.1', 'espruino']) {
      writeFileSync(join(folder, name), '');
      chmodSync(join(folder, name), 0o755);
    }
    const espruino = join(folder, 'espruino');
    const checks = await checkMachine({ PATH: folder, WHETSTONE_ESPRUINO: espruino }, '.');
    expect(of(checks, 'socat')).toMatchObject({ ok: true, found: join(folder, 'socat') });
    expect(of(checks, 'lua').found).toBe(join(folder, 'lua5.1'));
    expect(of(checks, 'espruino').found).toBe(espruino);
    const wrong = await checkMachine({ WHETSTONE_ESPRUINO: `${espruino}-2` }, '.');
    expect(of(wrong, 'espruino').found).toBe(`${espruino}-2 is no program`);
  });
});

describe('whetstone doctor', () => {
  it('prints the same for people and as one JSON object', async () => {
    const { ok, checks } = JSON.parse((await whetstone('doctor', '--json')).out);
    const { status, out } = await whetstone('doctor');
    expect(status).toBe(ok ? 0 : 1);
    for (const check of checks as Check[]) expect(out).toContain(` ${check.name}: `);
  });

  it('goes on where the configuration is wrong, and says what is', async () => {
    const config = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'whetstone.json');
    writeFileSync(config, '{ "watches": 4 }');
    const { status, out } = await whetstone('doctor', '--config', config);
    expect(status).toBe(1);
    expect(out).toContain('LACKS configuration: ');
    expect(out).toContain('watches is not a field');
    expect(out).toContain(' clock: ');
    writeFileSync(config, '{ "virtual": 4, "port": 0 }');
    expect((await whetstone('doctor', '--config', config)).out).toContain('ok    configuration: ');
  });
});
