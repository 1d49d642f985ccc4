import { expect, it, onTestFinished } from 'vitest';
import { remoteCalls } from '../../../gateway/api/client.ts';
import { serveApi } from '../../../gateway/api/server.ts';
import { fakeCalls } from './fake-calls.ts';
import { fakeWindow } from './fake-views.ts';

async function serve() {
  const calls = fakeCalls();
  const api = await serveApi(calls, { port: 0 });
  onTestFinished(() => api.close());
  return { calls, url: api.url, remote: remoteCalls(api.url) };
}

it('addWindowRoutes() carries every call about windows', async () => {
  const { calls, remote } = await serve();
  const query = { limit: 7, before: '81:17' };
  expect(await remote.windows('re/cordings', query)).toEqual([fakeWindow('re/cordings')]);
  expect((await remote.window('watch-1', '81:18')).signal?.values).toEqual([[0], [1]]);
  const asked = { device: 'watch-1', window: [[0.5, -1, 0.03125]] };
  expect(await remote.infer(asked)).toMatchObject({ predicted: 'upup', logits: [90, -20] });
  expect(await remote.infer({ embedding: [1, -2] })).toMatchObject({ score: 64 });
  expect(calls.asked).toEqual([
    ['windows', 're/cordings', query],
    ['window', 'watch-1', '81:18'],
    ['infer', asked],
    ['infer', { embedding: [1, -2] }],
  ]);
  expect(() => remote.onWindow(() => {})).toThrow(TypeError);
});

it('addWindowRoutes() refuses what is no window', async () => {
  const { calls, url, remote } = await serve();
  const bad = { code: 'bad-request' };
  await expect(remote.window('watch-1', 'last')).rejects.toMatchObject(bad);
  await expect(remote.windows('watch-1', { limit: 1001 })).rejects.toMatchObject(bad);
  const headers = { 'content-type': 'application/json' };
  // what JSON makes of NaN is null; a text is no number, and a number no window
  for (const window of [[['one']], [[Number.NaN, 1, 0]], [['1', 1, 0]], [[true, 1, 0]], [1], 1]) {
    const body = JSON.stringify({ window });
    const answer = await fetch(`${url}/api/infer`, { method: 'POST', headers, body });
    expect([body, answer.status, calls.asked]).toEqual([body, 400, []]);
  }
});
