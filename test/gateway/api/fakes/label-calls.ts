import type { LabelCalls } from '../../../../gateway/calls.ts';
import { fakeLabel, start } from '../fake-views.ts';
import type { Note } from './note.ts';

/** Labels, and who gives them. */
export const fakeLabelCalls = (note: Note): LabelCalls => ({
  async labels(query) {
    note('labels', query);
    return [];
  },
  async addLabel(label) {
    note('addLabel', label);
    return fakeLabel(label.sample, { cls: label.cls, source: label.source ?? 'person' });
  },
  async release(sample) {
    note('release', sample);
    return fakeLabel(sample);
  },
  async withdrawLabel(request) {
    note('withdrawLabel', request);
    return fakeLabel(request.sample);
  },
  async importLabels(request) {
    note('importLabels', request);
    const refused = [{ line: 4, reason: 'no window w9/1:1' }];
    return { added: request.rows.length - 1, known: 1, refused, overruled: [] };
  },
  async labelSources() {
    const device = { source: 'device', trust: 0.9, windows: 40, compared: 10, overruled: 3 };
    return [{ ...device, corrected: 1, withdrawn: 2 }];
  },
  async askLabels(request) {
    note('askLabels', request);
    const asked = { at: start, raw: 'held' };
    return {
      ...{ asked: [fakeLabel('watch-1/81:17', { asked })], candidates: 30, outOfReach: 5 },
      missing: null,
    };
  },
  async teach(request) {
    note('teach', request);
    return {
      ...{ teacher: request.name, runtime: 'whetstone', seen: 20, labelled: 12, unsure: 7 },
      ...{ foreign: 1, perClass: { upup: 12 }, compared: 6, right: 5 },
    };
  },
});
