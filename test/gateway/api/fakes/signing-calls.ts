import type { SigningCalls } from '../../../../gateway/calls.ts';
import { start, version } from '../fake-views.ts';
import type { Note } from './note.ts';

const key = { publicKey: 'ef'.repeat(32), since: start, versions: 2 };
const old = { ...key, id: 'ab'.repeat(8), signedBy: 'ab'.repeat(8), current: false };
const keys = [
  { ...old, revoked: { at: start, reason: 'stolen' } },
  { ...key, id: 'cd'.repeat(8), signedBy: old.id, current: true, revoked: null },
];

/** Keys that sign versions. */
export const fakeSigningCalls = (note: Note): SigningCalls => ({
  async signingKeys() {
    return keys;
  },
  async rotateSigning() {
    note('rotateSigning');
    return keys;
  },
  async revokeSigning(request) {
    note('revokeSigning', request);
    return keys;
  },
  async signVersion({ reason }) {
    note('signVersion', reason);
    return { version, signer: 'cd'.repeat(8) };
  },
});
