import type { HistoryCalls, MonitorCalls } from '../../../../gateway/calls.ts';
import { GatewayError } from '../../../../gateway/errors.ts';
import { fakeAlarm, fakeDevice, start } from '../fake-views.ts';
import type { Note } from './note.ts';

/** What is wrong with the models, and how it was. */
export const fakeMonitorCalls = (note: Note): MonitorCalls & HistoryCalls => ({
  async history(query) {
    note('history', query);
    const point = { at: start, windows: 9, labels: 3, accuracy: 2 / 3, estimated: 0.9 };
    const alarm = { at: start, kind: 'alarm' as const, subject: 'watch-1', text: 'it fell' };
    return {
      points: [{ ...point, score: 70, drift: 0.2 }],
      marks: [{ ...alarm, version: null }],
    };
  },
  async alarms() {
    const silence = { subject: 'watch-2', what: null, at: start, until: start + 7_200_000 };
    return { alarms: [fakeAlarm], silences: [silence] };
  },
  async silence({ subject, what = null, forMs }) {
    note('silence', { subject, what, forMs });
    return { subject, what, at: start, until: start + forMs };
  },
  async unsilence(request) {
    note('unsilence', request);
    if (request.subject === 'watch-2') return { ended: 1 };
    throw new GatewayError('not-found', `no alarms of '${request.subject}' are silenced`, {
      hint: 'silenced are: watch-2',
    });
  },
  async quality(scope) {
    note('quality', scope);
    const { measured, estimated } = fakeDevice(1);
    const cls = { cls: 'upup', recall: 0.9, precision: null, truths: 10, saids: 0 };
    return {
      ...{ scope, devices: ['watch-1'], measured, estimated, classes: [cls] },
      ...{
        calibrationError: 0.03,
        reliability: [{ confidence: 0.9, accuracy: 0.87, windows: 30 }],
      },
      witnesses: [{ device: 'watch-1', evidence: 'steady', sensor: 'well', missing: 0 }],
    };
  },
});
