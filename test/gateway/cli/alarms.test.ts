import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { remoteCalls } from '../../../gateway/api/client.ts';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import { type FakeCalls, fakeCalls } from '../api/fake-calls.ts';
import { fakeAlarm } from '../api/fake-views.ts';
import { whetstone } from './run.ts';

let calls: FakeCalls;
let api: Api;

beforeAll(async () => {
  calls = fakeCalls();
  api = await serveApi(calls, { port: 0 });
});
afterAll(() => api.close());
beforeEach(() => {
  calls.asked.length = 0;
});

const ask = (...args: string[]) => whetstone('alarms', ...args, '--url', api.url);

describe('whetstone alarms', () => {
  it('lists each cause once, with its devices, and who is silenced', async () => {
    const { status, out } = await ask();
    expect(status).toBe(0);
    const [head, alarm, silence] = out.trimEnd().split('\n');
    expect(head).toMatch(/^subject +kind +since +times +what$/);
    expect(alarm).toMatch(/^fleet +features +2026-01-01 .* 7 +what it measures moved: feature 3: /);
    expect(alarm).toMatch(/: watch-1, watch-2, watch-3$/);
    expect(silence).toMatch(/^silent until 2026-01-01 .*: every alarm of watch-2$/);
  });

  it('prints one JSON object', async () => {
    const { out } = await ask('--json');
    expect(JSON.parse(out)).toEqual(await calls.alarms());
  });

  it.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
  ])('silences a subject for %s', async (text, forMs) => {
    const { status, out } = await ask('silence', 'watch-3', '--for', text);
    expect([status, calls.asked]).toEqual([
      0,
      [['silence', { subject: 'watch-3', what: null, forMs }]],
    ]);
    expect(out).toMatch(/^silent until 2026-.*: every alarm of watch-3\n$/);
  });

  it('takes a device as a scope names it', async () => {
    await ask('silence', 'device:watch-3', '--for', '1h');
    await ask('unsilence', 'device:watch-3');
    expect(calls.asked).toMatchObject([
      ['silence', { subject: 'watch-3' }],
      ['unsilence', { subject: 'watch-3' }],
    ]);
  });

  it('silences one kind, and prints JSON where it is asked to', async () => {
    const { out } = await ask('silence', 'fleet', '--for', '1h', '--what', 'sensor', '--json');
    expect(calls.asked).toEqual([
      ['silence', { subject: 'fleet', what: 'sensor', forMs: 3_600_000 }],
    ]);
    expect(JSON.parse(out)).toMatchObject({ subject: 'fleet', what: 'sensor' });
  });

  it('ends a silence, and fails where there was none', async () => {
    expect((await ask('unsilence', 'watch-2')).out).toBe('watch-2 is told of again\n');
    const { status, out, err } = await ask('unsilence', 'watch-1', '--what', 'score');
    expect([status, out]).toEqual([1, '']);
    expect(err).toBe("whetstone: no alarms of 'watch-1' are silenced (silenced are: watch-2)\n");
    expect(calls.asked).toEqual([
      ['unsilence', { subject: 'watch-2' }],
      ['unsilence', { subject: 'watch-1', what: 'score' }],
    ]);
  });

  it.each([
    ['no time', ['silence', 'watch-1'], "required option '--for <time>'"],
    ['a time without a unit', ['silence', 'watch-1', '--for', '2'], 'such as 90s, 30m, 2h or 7d'],
    ['no time at all', ['silence', 'watch-1', '--for', '0h'], 'such as 90s, 30m, 2h or 7d'],
    ['two years', ['silence', 'watch-1', '--for', '700d'], 'up to 366 days'],
    ['an unknown kind', ['silence', 'w', '--for', '1h', '--what', 'mood'], 'score, features'],
    ['nobody', ['unsilence'], "missing required argument 'subject'"],
  ])('exits with 2 and one line for %s', async (_, args, expected) => {
    const { status, err } = await ask(...args);
    expect(status).toBe(2);
    expect(err).toContain(expected);
    expect(err).toMatch(/^whetstone: .*\n$/);
    expect(calls.asked).toEqual([]);
  });
});

describe('the calls about the monitor over HTTP', () => {
  it('give what the calls gave', async () => {
    const remote = remoteCalls(api.url);
    expect((await remote.alarms()).alarms).toEqual([fakeAlarm]);
    expect(await remote.quality('device:watch-1')).toEqual(await calls.quality('device:watch-1'));
    const silence = await remote.silence({ subject: 'cohort:left', forMs: 5, what: 'accuracy' });
    expect(silence.until - silence.at).toBe(5);
    expect(await remote.unsilence({ subject: 'watch-2' })).toEqual({ ended: 1 });
  });

  it.each([
    ['/alarms/silence', { subject: 'w1' }],
    ['/alarms/silence', { subject: 'w1', forMs: 0 }],
    ['/alarms/silence', { subject: 'w1', forMs: 366 * 86_400_000 + 1 }],
    ['/alarms/silence', { subject: 'a b', forMs: 5 }],
    ['/alarms/unsilence', { subject: 'w1', what: 'mood' }],
  ])('refuse %s %j', async (path, body) => {
    const response = await fetch(`${api.url}/api${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(400);
    expect(calls.asked).toEqual([]);
  });

  it('refuse the quality of what is no scope', async () => {
    expect((await fetch(`${api.url}/api/quality?scope=watch-1`)).status).toBe(400);
  });
});
