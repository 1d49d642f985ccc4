import { expect, it, onTestFinished } from 'vitest';
import { remoteCalls } from '../../../gateway/api/client.ts';
import { serveApi } from '../../../gateway/api/server.ts';
import { fakeCalls } from './fake-calls.ts';

it('addHistoryRoutes() carries scope, time and number of points', async () => {
  const calls = fakeCalls();
  const api = await serveApi(calls, { port: 0 });
  onTestFinished(() => api.close());
  const remote = remoteCalls(api.url);
  const query = { scope: 'cohort:left hand', from: 5, to: 900, points: 3 };
  expect(await remote.history(query)).toEqual(await calls.history(query));
  await remote.history();
  expect(calls.asked).toEqual([
    ['history', query],
    ['history', query],
    ['history', {}],
  ]);
  for (const wrong of [{ scope: 'watch-1' }, { points: 0 }, { points: 1001 }, { from: -1 }]) {
    await expect(remote.history(wrong)).rejects.toMatchObject({ code: 'bad-request' });
  }
});
