import type {
  AlarmView,
  DeviceView,
  ImportReport,
  KeyView,
  LabelView,
  PortView,
  RolloutView,
  TokenView,
  WindowView,
} from '../../../gateway/calls.ts';

/** A model's version. */
export const version = '3f2a9c41d0e5b6a7'.repeat(4);
/** When everything begins, ms since 1970. */
export const start = Date.UTC(2026, 0, 1, 12);

/** A device as a gateway lists it, well. */
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

/** A rollout to one device, soaking. */
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
export const fakePort: PortView = {
  ...{ kind: 'serial', name: '/dev/ttyACM0', from: 'added', devices: [] },
};
