import type {
  Calls,
  DeviceView,
  GatewayEvent,
  ImportReport,
  RolloutView,
  Status,
} from '../../../gateway/calls.ts';
import { GatewayError } from '../../../gateway/errors.ts';

/** A gateway that only remembers: what it was asked, and what it shall say. */
export interface FakeCalls extends Calls {
  state: Status;
  log: GatewayEvent[];
  asked: unknown[][];
  /** records an event and tells it to who listens */
  tell(kind: string, subject: string, data?: GatewayEvent['data']): GatewayEvent;
  listeners(): number;
}

const version = '3f2a9c41d0e5b6a7'.repeat(4);
const start = Date.UTC(2026, 0, 1, 12);

export function fakeDevice(n: number, change: Partial<DeviceView> = {}): DeviceView {
  return {
    id: `watch-${n}`,
    board: 'espruino-linux',
    connected: true,
    synthetic: true,
    wearer: `wearer ${n}`,
    release: 3,
    version,
    scope: 'fleet',
    state: 'confirmed',
    accuracy: 0.97,
    score: 71,
    history: Array.from({ length: 40 }, (_, i) => ({
      at: start + i * 1000,
      accuracy: 0.94 + 0.03 * Math.sin(i / 3),
      score: 70,
    })),
    alarm: null,
    samples: 1234,
    dropped: 0,
    lastSeen: start,
    ...change,
  };
}

export function fakeRollout(change: Partial<RolloutView> = {}): RolloutView {
  return {
    id: 'r1',
    version,
    previous: null,
    scope: 'device:watch-3',
    stage: 'soaking',
    startedAt: start,
    endedAt: null,
    reason: 'provisional: 24 labels, 22 to 8 right against the champion',
    devices: [{ id: 'watch-3', state: 'trial', wireBytes: 414 }],
    ...change,
  };
}

/** What an import of a small model reports. */
export const fakeImport: ImportReport = {
  file: 'cd'.repeat(32),
  exported: false,
  notes: ['SOFTMAX at the end is left out'],
  layers: [
    {
      ...{ operator: 'CONV_2D', input: [1, 50, 3], output: [1, 25, 8] },
      ...{ activation: 'relu', macs: 3000, weights: 120 },
    },
    {
      ...{ operator: 'FULLY_CONNECTED', input: [200], output: [6] },
      ...{ activation: 'none', macs: 1200, weights: 1200 },
    },
  ],
  ...{ macs: 4200, weights: 1320, ram: 350 },
  parts: [{ part: 'head', bytes: 1300 }],
  boards: [
    { board: 'banglejs2', fits: true, why: [] },
    { board: 'puckjs', fits: false, why: ['9000 bytes, a slot has 4096'] },
  ],
};

export function fakeCalls(change: Partial<Status> = {}): FakeCalls {
  const listeners = new Set<(event: GatewayEvent) => void>();
  const asked: unknown[][] = [];
  const note = (...what: unknown[]) => {
    asked.push(what);
  };
  const model = {
    version,
    parent: null,
    scope: 'fleet',
    stage: 'champion',
    release: 3,
    rung: 'head',
    createdAt: start,
    parts: [{ part: 'head' as const, id: 'ab'.repeat(8), bytes: 414 }],
    gate: null,
  };
  const fake: FakeCalls = {
    state: {
      sentence: '4 virtual watches, synthetic motion',
      synthetic: true,
      task: 'gesture',
      classes: ['upup', 'waggle'],
      startedAt: start,
      at: start,
      devices: [1, 2, 3, 4].map((n) => fakeDevice(n)),
      rollouts: [],
      training: { running: null, queue: [], waiting: null, dueAt: null },
      lastEvent: 0,
      ...change,
    },
    log: [],
    asked,
    listeners: () => listeners.size,
    tell(kind, subject, data = {}) {
      const event = { id: fake.log.length + 1, at: start + 62_000, kind, subject, data };
      fake.log.push(event);
      fake.state.lastEvent = event.id;
      for (const listener of listeners) listener(event);
      return event;
    },
    status: async () => fake.state,
    devices: async () => fake.state.devices,
    async device(id) {
      const found = fake.state.devices.find((device) => device.id === id);
      if (found) return found;
      throw new GatewayError('not-found', `no device ${id}`, { hint: 'see: whetstone devices' });
    },
    models: async () => [model],
    async model(wanted) {
      if (version.startsWith(wanted)) return model;
      throw new GatewayError('not-found', `no model ${wanted}`);
    },
    rollouts: async () => fake.state.rollouts,
    async labels(query) {
      note('labels', query);
      return [];
    },
    async addLabel(label) {
      note('addLabel', label);
      const device = label.sample.split('/')[0];
      const said = { predicted: 'upup', source: label.source ?? 'person', quarantine: null };
      return { ...label, device, ...said, at: start };
    },
    async release(sample) {
      note('release', sample);
      const [device] = sample.split('/');
      const known = { device, cls: null, source: null, quarantine: null };
      return { sample, ...known, predicted: 'upup', at: start };
    },
    async events({ since, limit = 100 } = {}) {
      if (since === undefined) return fake.log.slice(-limit);
      return fake.log.filter((event) => event.id > since).slice(0, limit);
    },
    async train({ scope }) {
      note('train', scope);
      const said = { version, rung: 'head', reason: 'better', trainMs: 12, although: [] };
      return { scope, released: true, ...said };
    },
    async promote(wanted) {
      note('promote', wanted);
      return fakeRollout();
    },
    async rollback(wanted) {
      note('rollback', wanted);
      return fakeRollout({ stage: 'rolledback' });
    },
    async exportModel(wanted, format) {
      note('exportModel', wanted, format);
      return { version, format, file: Buffer.from('a model').toString('base64') };
    },
    async importModel(request) {
      note('importModel', request);
      return { version: request.look ? null : version, report: fakeImport };
    },
    on(_name, listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return fake;
}
