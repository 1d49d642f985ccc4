import { expect, it, type TestContext } from 'vitest';
import { serveApi } from '../../../gateway/api/server.ts';
import type { Status } from '../../../gateway/views/status.ts';
import { fakeCalls } from '../api/fake-calls.ts';
import { fakeDevice, fakeRollout } from '../api/fake-views.ts';
import { whetstone } from './run.ts';

async function asked(ctx: TestContext, state: Parameters<typeof fakeCalls>[0], ...args: string[]) {
  const calls = fakeCalls(state);
  const api = await serveApi(calls, { port: 0 });
  ctx.onTestFinished(() => api.close());
  return { ...(await whetstone('status', ...args, '--url', api.url)), calls };
}

it('whetstone status says what is wrong, on its way and waited for', async (ctx) => {
  const alarm = { since: 0, message: 'it moved', what: 'features', silencedUntil: null };
  const training: Status['training'] = {
    running: { scope: 'fleet', why: ['alarm', 'labels'] },
    queue: [{ scope: 'device:w1', why: ['time'] }],
    waiting: { scope: 'device:w1', since: 0, sentence: 'waits: cpu-thermal 84 °C' },
    dueAt: null,
  };
  const { status, out } = await asked(ctx, {
    devices: [fakeDevice(1, { id: 'w1', alarm }), fakeDevice(2, { connected: false })],
    rollouts: [
      fakeRollout({ id: '3f2a9c4155', stage: 'awaiting-approval', reason: 'a person decides' }),
      fakeRollout({ id: '77', endedAt: 5 }),
    ],
    training,
    store: { bytes: 12_340_000, keyId: null, fullSince: 0, retention: null },
  });
  expect(status).toBe(0);
  expect(out).toMatch(/^devices {3}2, 1 connected$/m);
  expect(out).toMatch(/^alarms {4}1\n {2}w1: it moved, since \d{4}-/m);
  expect(out).toMatch(
    /^rollouts {2}1 on the way\n {2}3f2a9c41 of \w+ for device:watch-3: awaiting-approval, \d of 1 devices done: a person decides$/m,
  );
  expect(out).toMatch(
    /^training {2}fleet runs \(alarm, labels\); next device:w1; device:w1 waits: cpu-thermal 84 °C$/m,
  );
  expect(out).toMatch(/^store {5}12\.3 MB, not encrypted; THE DISK TAKES NOTHING since \d{4}-/m);
});

it('whetstone status says that all is quiet, and prints one JSON object', async (ctx) => {
  const quiet = { devices: [fakeDevice(1)], rollouts: [] };
  const { out } = await asked(ctx, quiet);
  expect(out).toMatch(/^alarms {4}none\nrollouts {2}none on its way\ntraining {2}nothing runs$/m);
  const { out: json, calls } = await asked(ctx, quiet, '--json');
  expect(JSON.parse(json)).toEqual(await calls.status());
});
