import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import { type FakeCalls, fakeCalls } from '../api/fake-calls.ts';
import { whetstone } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'whetstone-infer-'));
let calls: FakeCalls;
let api: Api;

beforeAll(async () => {
  calls = fakeCalls();
  api = await serveApi(calls, { port: 0 });
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks of a file that holds this text. */
function ask(text: string, ...args: string[]) {
  const file = join(folder, 'window.json');
  writeFileSync(file, text);
  return whetstone('infer', file, ...args, '--url', api.url);
}

it('whetstone infer sends a window, a device and a version', async () => {
  const { status, out } = await ask('[[0.5, -1, 0]]', '--device', 'watch-1');
  expect([status, out]).toEqual([0, expect.stringMatching(/^upup, 98 % sure \(v3f2a9c41\)\n$/)]);
  expect(calls.asked.at(-1)).toEqual(['infer', { window: [[0.5, -1, 0]], device: 'watch-1' }]);
  const json = await ask('{"embedding":[1,-2],"signal":0}', '--model', 'v3f2a', '--json');
  expect(JSON.parse(json.out)).toMatchObject({ predicted: 'upup', logits: [90, -20] });
  expect(calls.asked.at(-1)).toEqual(['infer', { embedding: [1, -2], version: '3f2a' }]);
});

it('whetstone infer says what is wrong with a file, in one line', async () => {
  const { status, err } = await ask('[[0.5,');
  expect([status, err.split('\n').length]).toEqual([1, 2]);
  expect(err).toContain('window.json is not JSON: ');
});
