import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import { type FakeCalls, fakeCalls } from '../api/fake-calls.ts';
import { whetstone } from './run.ts';

let calls: FakeCalls;
let api: Api;

beforeAll(async () => {
  calls = fakeCalls();
  api = await serveApi(calls, { port: 0 });
});
afterAll(() => api.close());

const ask = (...args: string[]) => whetstone(...args, '--url', api.url);

describe('whetstone quality', () => {
  it('says what is measured and what is estimated, by class and device', async () => {
    const { status, out } = await ask('quality');
    expect(status).toBe(0);
    expect(calls.asked.at(-1)).toEqual(['quality', 'fleet']);
    expect(out).toContain('measured     0.97 (0.85 to 0.99) on 30 labelled windows\n');
    expect(out).toContain(
      'estimated    0.95 (0.90 to 0.98) on 200 windows, by their margins; off by 0.04 so far\n',
    );
    expect(out).toMatch(/^upup +0\.90 +- +10 +0$/m);
    expect(out).toMatch(/^watch-1 +steady +well +0\.00$/m);
  });

  it('prints one JSON object of a scope', async () => {
    const { out } = await ask('quality', 'device:watch-1', '--json');
    expect(JSON.parse(out)).toEqual(await calls.quality('device:watch-1'));
  });

  it('exits with 2 and one line for what is no scope', async () => {
    const { status, err } = await ask('quality', 'watch-1');
    expect([status, err]).toEqual([
      2,
      "whetstone: no scope 'watch-1': it is fleet, cohort:NAME or device:ID\n",
    ]);
  });
});

describe('whetstone devices ID', () => {
  it('shows the measured accuracy beside the estimated one', async () => {
    const { out } = await ask('devices', 'watch-1');
    expect(out).toMatch(/^measured +0\.97 \(0\.85 to 0\.99\) on 30 labelled windows$/m);
    expect(out).toMatch(/^estimated +0\.95 \(0\.90 to 0\.98\) on 200 windows/m);
  });
});
