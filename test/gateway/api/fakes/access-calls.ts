import type { KeyCalls, PortCalls, TokenCalls } from '../../../../gateway/calls.ts';
import { fakeKeys, fakePort, fakeToken, start } from '../fake-views.ts';
import type { Note } from './note.ts';

/** Who may speak to the gateway, and where. */
export const fakeAccessCalls = (note: Note): KeyCalls & PortCalls & TokenCalls => ({
  ports: async () => [{ ...fakePort, devices: ['puck-1'] }],
  async addPort(port) {
    note('addPort', port);
    return { ...fakePort, ...port };
  },
  async removePort(port) {
    note('removePort', port);
    return { ...fakePort, ...port };
  },
  keys: async () => [fakeKeys],
  async addKeys(request) {
    note('addKeys', request);
    return { ...fakeKeys, image: Buffer.from('image').toString('base64') };
  },
  async rotateKeys(device) {
    note('rotateKeys', device);
    return { ...fakeKeys, device, pending: 2 };
  },
  async removeKeys(device) {
    note('removeKeys', device);
    return { ...fakeKeys, device, generation: null, removedAt: start };
  },
  async tokens() {
    return [fakeToken];
  },
  async addToken({ name, role }, by) {
    note('addToken', name, role, by);
    return { ...fakeToken, name, role, token: `wt_${fakeToken.id}_${'x'.repeat(43)}` };
  },
  async revokeToken(id, by) {
    note('revokeToken', id, by);
    return { ...fakeToken, id, revokedAt: start, valid: false };
  },
});
