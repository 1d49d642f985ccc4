import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import { type FakeCalls, fakeCalls } from '../api/fake-calls.ts';
import { fakeRollout } from '../api/fake-views.ts';
import { whetstone } from './run.ts';

let calls: FakeCalls;
let api: Api;

const waits = fakeRollout({ id: 'ffee0011-22', stage: 'awaiting-approval' });

beforeAll(async () => {
  calls = fakeCalls({
    rollouts: [fakeRollout({ id: 'ab12' }), fakeRollout({ id: 'ac34' }), waits],
  });
  api = await serveApi(calls, { port: 0 });
});
afterAll(() => api.close());

const ask = (...args: string[]) => whetstone(...args, '--url', api.url);

it('whetstone rollouts approve takes the first digits of one', async () => {
  const { status, out } = await ask('rollouts', 'approve', 'ab');
  expect([status, out]).toEqual([0, expect.stringMatching(/^rollout ab12 .*: rest/)]);
  expect(calls.asked.at(-1)).toEqual(['approveRollout', 'ab12', 'person']);
});

it.each([
  ['a', "no rollout 'a': 2 rollouts begin so"],
  ['zz', "no rollout 'zz': none begins so"],
  // an empty variable of a script is nobody's yes
  ['', "no rollout '': none begins so"],
])("whetstone rollouts approve '%s' decides nothing", async (id, message) => {
  calls.asked.length = 0;
  const only = fakeCalls({ rollouts: id === '' ? [waits] : calls.state.rollouts });
  const own = await serveApi(only, { port: 0 });
  const { status, err } = await whetstone('rollouts', 'approve', id, '--url', own.url);
  await own.close();
  expect([status, err]).toEqual([1, `whetstone: ${message} (see: whetstone rollouts)\n`]);
  expect(only.asked).toEqual([]);
});

it('whetstone rollouts says how to approve what waits, at the gateway that was asked', async () => {
  const { out } = await ask('rollouts');
  expect(out).toContain(
    `ffee0011 waits for a person: npx whetstone rollouts approve ffee0011 --gateway ${api.url} (or: stop)`,
  );
});

it('whetstone rollouts stop carries the reason', async () => {
  const { out } = await ask('rollouts', 'stop', 'ac34', '--why', 'too early', '--json');
  expect(JSON.parse(out)).toMatchObject({ id: 'ac34', stage: 'returning', reason: 'too early' });
  const asked = { reason: 'too early' };
  expect(calls.asked.at(-1)).toEqual(['stopRollout', 'ac34', asked, 'person']);
  await ask('rollouts', 'stop', 'ac34');
  expect(calls.asked.at(-1)).toEqual(['stopRollout', 'ac34', {}, 'person']);
});
