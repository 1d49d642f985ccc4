import type {
  AlarmView,
  Calls,
  DeviceView,
  GatewayEvent,
  ImportReport,
  KeyView,
  LabelView,
  PortView,
  RolloutView,
  Status,
  TokenView,
  WindowView,
} from '../../../gateway/calls.ts';
import { GatewayError } from '../../../gateway/errors.ts';
import { deviceSummary, rolloutSummary } from '../../../gateway/summaries.ts';

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
    measured: { accuracy: 0.97, low: 0.85, high: 0.99, labels: 30 },
    estimated: {
      ...{ accuracy: 0.95, low: 0.9, high: 0.98, windows: 200, labels: 30 },
      past: { estimates: 3, meanError: 0.04, bias: 0.01, held: 1 },
    },
    samples: 1234,
    dropped: 0,
    wear: null,
    lastSeen: start,
    link: {
      ...{ suite: 'none', weak: false, generation: null },
      ...{ badFrames: 0, replays: 0, waiting: 0, refused: {} },
    },
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
    devices: [{ id: 'watch-3', state: 'trial', wireBytes: 414, reason: '' }],
    ...change,
  };
}

/** A change that came to the whole fleet. */
export const fakeAlarm: AlarmView = {
  ...{ subject: 'fleet', devices: ['watch-1', 'watch-2', 'watch-3'], what: 'features' },
  ...{ since: start, at: start + 9000, lastAt: start + 60_000, count: 7, also: ['score'] },
  ...{ message: 'what it measures moved: feature 3', where: ['feature 3'], before: 2, after: 31 },
  ...{ windows: 20, evidence: 1e-7, release: 3, silencedUntil: null },
};

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

/** A window as a gateway lists it. */
export function fakeLabel(sample: string, change: Partial<LabelView> = {}): LabelView {
  const none = { cls: null, source: null, trust: null, asked: null, quarantine: null };
  const device = sample.split('/')[0]!;
  return { sample, device, ...none, predicted: 'upup', contradicted: [], at: start, ...change };
}

/** A stored window. */
export function fakeWindow(device: string, change: Partial<WindowView> = {}): WindowView {
  return {
    ...{ device, id: '81:17', at: start, version, raw: true, label: null, quarantine: null },
    ...{ predicted: 'upup', score: 64, confidence: 0.98, ...change },
  };
}

/** A token as a gateway lists it. */
export const fakeToken: TokenView = {
  ...{ id: '0123456789ab', name: 'ann', role: 'labeller', addedAt: start, expiresAt: null },
  ...{ revokedAt: null, usedAt: start, valid: true },
};

/** A device's keys as a gateway lists them. */
export const fakeKeys: KeyView = {
  ...{ device: 'puck-1', board: 'puckjs', suite: 'ccm', generation: 1, pending: null },
  ...{ addedAt: start, rotatedAt: start, removedAt: null, connected: true },
};

/** A port as a gateway lists it. */
const fakePort: PortView = {
  ...{ kind: 'serial', name: '/dev/ttyACM0', from: 'added', devices: [] },
};

export function fakeCalls(change: Partial<FakeCalls['state']> = {}): FakeCalls {
  const listeners = new Set<(event: GatewayEvent) => void>();
  const windowListeners = new Set<(window: WindowView) => void>();
  const asked: unknown[][] = [];
  const note = (...what: unknown[]) => {
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
  const key = { publicKey: 'ef'.repeat(32), since: start, versions: 2 };
  const old = { ...key, id: 'ab'.repeat(8), signedBy: 'ab'.repeat(8), current: false };
  const keys = [
    { ...old, revoked: { at: start, reason: 'stolen' } },
    { ...key, id: 'cd'.repeat(8), signedBy: old.id, current: true, revoked: null },
  ];
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
    async history(query) {
      note('history', query);
      const point = { at: start, windows: 9, labels: 3, accuracy: 2 / 3, estimated: 0.9 };
      const alarm = { at: start, kind: 'alarm' as const, subject: 'watch-1', text: 'it fell' };
      return {
        points: [{ ...point, score: 70, drift: 0.2 }],
        marks: [{ ...alarm, version: null }],
      };
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
