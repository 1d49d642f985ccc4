import { execFile, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import { type FakeCalls, fakeCalls } from '../api/fake-calls.ts';

const root = join(import.meta.dirname, '../../..');
const entry = join(root, 'gateway/cli/whetstone.js');
const run = promisify(execFile);

/** A Node of this machine that is not the one running: older, as users have it. */
const other = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .filter(existsSync)
  .find((node) => execFileSync(node, ['--version']).toString().trim() !== process.version);
const noOther = other === undefined ? ' (skipped: there is no other Node)' : '';

let api: Api;
let calls: FakeCalls;

beforeAll(async () => {
  calls = fakeCalls();
  api = await serveApi(calls, { port: 0 });
});

afterAll(() => api.close());

describe('whetstone.js', () => {
  it('runs in the pinned Node', async () => {
    const { stdout } = await run(process.execPath, [entry, 'devices', '--json', '--url', api.url]);
    expect(JSON.parse(stdout)).toEqual({ devices: calls.state.devices });
  });

  it('is no failure when its reader has seen enough', async () => {
    const command = `"${process.execPath}" "${entry}" --help | head -1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await run('bash', ['-c', command]);
    expect([stdout.split('\n').slice(-2)[0], stderr]).toEqual(['0', '']);
  });

  it.skipIf(other === undefined)(`passes results and exit status on${noOther}`, async () => {
    const { stdout } = await run(other!, [entry, 'devices', '--json', '--url', api.url]);
    expect(JSON.parse(stdout)).toEqual({ devices: calls.state.devices });
    await expect(run(other!, [entry, '--nope'])).rejects.toMatchObject({
      code: 2,
      stderr: "whetstone: unknown option '--nope'\n",
    });
  });

  it.skipIf(other === undefined).each(['SIGTERM', 'SIGINT'] as const)(
    `passes %s on and leaves no process behind${noOther}`,
    async (signal) => {
      const child = spawn(other!, [entry, 'events', '--follow', '--url', api.url], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await vi.waitUntil(() => calls.listeners() === 1, 10_000);
      const ended = new Promise<[number | null, string | null]>((resolve) => {
        child.on('exit', (code, by) => resolve([code, by]));
      });
      child.kill(signal);
      expect(await ended).toEqual(signal === 'SIGTERM' ? [null, 'SIGTERM'] : [0, null]);
      await vi.waitUntil(() => calls.listeners() === 0, 10_000);
    },
  );

  it('runs when it is installed, where Node strips no types', async () => {
    const modules = join(mkdtempSync(join(tmpdir(), 'installed-')), 'node_modules');
    const installed = join(modules, 'whetstone');
    mkdirSync(installed, { recursive: true });
    for (const name of ['gateway', 'device', 'hardware', 'package.json']) {
      cpSync(join(root, name), join(installed, name), { recursive: true });
    }
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (name !== 'whetstone') symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
    const path = join(installed, 'gateway/cli/whetstone.js');
    for (const node of other === undefined ? [process.execPath] : [process.execPath, other]) {
      const { stdout, stderr } = await run(node, [path, 'devices', '--json', '--url', api.url]);
      expect(JSON.parse(stdout)).toEqual({ devices: calls.state.devices });
      expect(stderr).toBe('');
      const out = join(modules, 'watch.js');
      const args = ['build', '--board', 'espruino-linux', '--task', 'gesture', '--out', out];
      expect((await run(node, [path, ...args])).stdout).toContain('bytes for espruino-linux');
    }
  });
});
