import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { showGateway, statusLine } from '../../../gateway/cli/terminal.ts';
import { fakeCalls } from '../api/fake-calls.ts';
import { fakeDevice } from '../api/fake-views.ts';
import { capture } from './run.ts';

const url = 'http://127.0.0.1:7380';
const gatewayOf = (call: ReturnType<typeof fakeCalls>) => ({
  ...{ call, url, adminToken: null, close: async () => {} },
});

describe('showGateway()', () => {
  it('tells the story in plain lines where there is no terminal', async () => {
    const calls = fakeCalls();
    calls.tell('device.seen', 'watch-3', { board: 'espruino-linux' });
    const out = capture();
    const hide = await showGateway(gatewayOf(calls), { out, err: capture(), status: 0 });
    calls.tell('device.wearer', 'watch-3', { wearer: 'Bert' });
    calls.tell('model.stage', 'watch-3', { stage: 'canary' });
    calls.tell('alarm.raised', 'watch-3', { message: 'accuracy 0.97 → 0.31' });
    hide();
    calls.tell('device.restarted', 'watch-3');
    expect(out.text).toBe(
      [
        'Whetstone: 4 virtual watches, synthetic motion',
        'dashboard: http://127.0.0.1:7380   stop: Ctrl-C',
        '01:02  watch-3 said hello (espruino-linux)',
        '01:02  watch-3 changed wearer to Bert (simulated)',
        '01:02  ALARM watch-3: accuracy 0.97 → 0.31',
        '',
      ].join('\n'),
    );
  });

  it('tells the first label of a device and the last that is wanted', async () => {
    const calls = fakeCalls();
    const out = capture();
    const hide = await showGateway(gatewayOf(calls), { out, err: capture(), status: 0 });
    for (let have = 1; have <= 9; have++) calls.tell('label.added', 'watch-3', { have, want: 6 });
    calls.tell('alarm.ended', 'watch-3');
    calls.tell('label.added', 'watch-3', { have: 10, want: 6 });
    hide();
    expect(out.text.trim().split('\n').slice(2)).toEqual([
      '01:02  label 1/6 for watch-3',
      '01:02  label 6/6 for watch-3',
      '01:02  alarm of watch-3 is over',
      '01:02  label 10 for watch-3',
    ]);
  });

  it('keeps a line with the fleet at the bottom of a terminal', async () => {
    const calls = fakeCalls();
    const out = capture(true);
    const hide = await showGateway(gatewayOf(calls), { out, err: capture(), status: 0 });
    for (let i = 0; i < 300 && !out.text.includes('watch-4 0.97'); i++) await pause(10);
    expect(out.text).toContain('00:00  accuracy  watch-1 0.97  watch-2 0.97');
    const before = out.text.length;
    calls.tell('device.restarted', 'watch-2');
    const after = out.text.slice(before);
    expect(after.startsWith('\r\x1b[2K01:02  watch-2 started again\n00:00  accuracy')).toBe(true);
    hide();
    expect(out.text.endsWith('\r\x1b[2K')).toBe(true);
    expect(calls.listeners()).toBe(0);
  });
});

describe('statusLine()', () => {
  it('marks alarms and lost devices and fits the terminal', () => {
    const alarm = { since: 0, message: 'fell', what: 'score', silencedUntil: null };
    const devices = [
      fakeDevice(1, { accuracy: null }),
      fakeDevice(2, { accuracy: 0.3, alarm }),
      fakeDevice(3, { connected: false }),
    ];
    const { state } = fakeCalls({ devices });
    const full = '00:00  accuracy  watch-1 -  watch-2 0.30!  watch-3 0.97✕';
    expect(statusLine(state, 80)).toBe(full);
    expect(statusLine(state, 20)).toBe(`${full.slice(0, 18)}…`);
    expect(statusLine({ ...state, devices: [] }, 80)).toBe('00:00  no device yet');
  });
});
