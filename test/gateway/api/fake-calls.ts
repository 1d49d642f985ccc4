import type {
  Calls,
  DeviceView,
  GatewayEvent,
  RolloutView,
  Status,
  WindowView,
} from '../../../gateway/calls.ts';
import { GatewayError } from '../../../gateway/errors.ts';
import { deviceSummary, rolloutSummary } from '../../../gateway/summaries.ts';
import { fakeDevice, fakeImport, fakeRollout, fakeWindow, start, version } from './fake-views.ts';
import { fakeAccessCalls } from './fakes/access-calls.ts';
import { fakeBoxCalls } from './fakes/box-calls.ts';
import { fakeLabelCalls } from './fakes/label-calls.ts';
import { fakeMonitorCalls } from './fakes/monitor-calls.ts';
import type { Note } from './fakes/note.ts';
import { fakeSigningCalls } from './fakes/signing-calls.ts';

/** A gateway that only remembers: what it was asked, and what it shall say. */
export interface FakeCalls extends Calls {
  state: Omit<Status, 'devices' | 'rollouts'> & { devices: DeviceView[]; rollouts: RolloutView[] };
  log: GatewayEvent[];
  asked: unknown[][];
  /** records an event and tells it to who listens */
  tell(kind: string, subject: string, data?: GatewayEvent['data']): GatewayEvent;
  /** tells of a window to who listens */
  see(window: WindowView): void;
  /** who listens, to events and to windows */
  listeners(): number;
}

/** @param change of what its status says */
export function fakeCalls(change: Partial<FakeCalls['state']> = {}): FakeCalls {
  const listeners = new Set<(event: GatewayEvent) => void>();
  const windowListeners = new Set<(window: WindowView) => void>();
  const asked: unknown[][] = [];
  const note: Note = (...what) => {
    asked.push(what);
  };
  const model = {
    version,
    parent: null,
    scope: 'fleet',
    stage: 'champion',
    rollout: null,
    release: 3,
    rung: 'head',
    createdAt: start,
    parts: [{ part: 'head' as const, id: 'ab'.repeat(8), bytes: 414 }],
    gate: null,
  };
  const fake: FakeCalls = {
    ...fakeLabelCalls(note),
    ...fakeMonitorCalls(note),
    ...fakeAccessCalls(note),
    ...fakeSigningCalls(note),
    ...fakeBoxCalls(note),
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
      store: { bytes: 4096, keyId: null, fullSince: null, retention: null },
      lastEvent: 0,
      ...change,
    },
    log: [],
    asked,
    see(window) {
      for (const listener of windowListeners) listener(window);
    },
    listeners: () => listeners.size + windowListeners.size,
    tell(kind, subject, data = {}) {
      const event = { id: fake.log.length + 1, at: start + 62_000, kind, subject, data };
      fake.log.push(event);
      fake.state.lastEvent = event.id;
      for (const listener of listeners) listener(event);
      return event;
    },
    status: async () => ({
      ...fake.state,
      devices: fake.state.devices.map((one) => deviceSummary(one, fake.state.devices.length)),
      rollouts: fake.state.rollouts.map(rolloutSummary),
    }),
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
    async rollout(id) {
      const found = fake.state.rollouts.find((one) => one.id === id);
      if (found) return found;
      throw new GatewayError('not-found', `no rollout '${id}'`);
    },
    async approveRollout(id, by) {
      note('approveRollout', id, by);
      return fakeRollout({ id, stage: 'rest' });
    },
    async stopRollout(id, request, by) {
      note('stopRollout', id, request, by);
      return fakeRollout({ id, stage: 'returning', reason: request?.reason ?? null });
    },
    async windows(device, query) {
      note('windows', device, query);
      return [fakeWindow(device)];
    },
    async window(device, id) {
      note('window', device, id);
      const signal = { axes: ['x'], rateHz: 12.5, unit: 'g', values: [[0], [1]] };
      return { ...fakeWindow(device), id, signal };
    },
    async infer(request) {
      note('infer', request);
      const { predicted, score, confidence } = fakeWindow('watch-1');
      return { version, predicted, score, confidence, logits: [90, -20] };
    },
    onWindow(listener) {
      windowListeners.add(listener);
      return () => windowListeners.delete(listener);
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
