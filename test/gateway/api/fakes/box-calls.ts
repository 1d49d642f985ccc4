import type { BoxCalls } from '../../../../gateway/calls.ts';
import { start } from '../fake-views.ts';
import type { Note } from './note.ts';

/** What the box keeps. */
export const fakeBoxCalls = (note: Note): BoxCalls => ({
  async verify(head) {
    note('verify', head);
    const counts = { entries: 0, models: 1, releases: 1, keys: 1, problems: [], notes: [] };
    return { ok: true, ...counts, head: { entry: 0, hash: '00' }, signed: null };
  },
  async audit(query) {
    note('audit', query);
    return { entries: [], head: { entry: 0, hash: '00' } };
  },
  async backup() {
    note('backup');
    const about = { gateway: 'box', schema: 1, keyId: null, files: [] };
    return { file: 'backups/x.backup', at: start, ...about };
  },
});
