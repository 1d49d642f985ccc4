import { type Access, createAccess } from './access.ts';
import { boxService } from './box-service.ts';
import type {
  Calls,
  DeviceView,
  GatewayEvent,
  ModelView,
  RolloutView,
  Status,
  StoreView,
  TrainingView,
} from './calls.ts';
import type { Composed } from './compose.ts';
import { GatewayError } from './errors.ts';
import { historyService } from './history-service.ts';
import { keyService, linkViewOf } from './key-service.ts';
import { labelService } from './label-service.ts';
import { alarmText } from './monitor/alarm.ts';
import { estimatedOf, measuredOf, viewOfAlarms, viewOfQuality } from './monitor-views.ts';
import type { PortCalls } from './port-calls.ts';
import { noPorts } from './ports.ts';
import { type PartName, partNames, scopeName } from './registry/manifest.ts';
import type { Model } from './registry/registry.ts';
import type { RolloutState } from './rollout/state.ts';
import type { ScheduleState, Wanted } from './schedule/state.ts';
import { devicesOf, knownScope, noDevice } from './scopes.ts';
import { signingService } from './signing-service.ts';
import type { Device } from './store/types.ts';
import { deviceSummary, NEWEST, rolloutSummary } from './summaries.ts';
import { startTrail } from './trail.ts';
import { windowService } from './window-service.ts';

/** What the gateway's owner knows of its devices beside what they say themselves. */
export interface About {
  /** one sentence for people */
  sentence: string;
  startedAt: number;
  /** of an encrypted store */
  keyFile?: string | undefined;
  /** real boards may do with weaker suites than theirs; default not */
  allowWeakLink?: boolean;
  /** further ports; without them it takes none */
  ports?: PortCalls;
  /** the simulation behind a device: who wears it, and how often it was right of late */
  simulated?: (device: string) => { wearer: string; accuracy: number | null } | undefined;
}

/** Time between two looks for new events, and between two points of a history. */
const POLL_MS = 200;
const HISTORY_MS = 2000;
const HISTORY_POINTS = 60;
/** Newest windows that a shown score is the mean of. */
const SCORED = 10;
/** Who asked, where nobody says. */
const PERSON = 'person';
const STATES = ['empty', 'confirmed', 'trial'] as const;

/** The calls of {@link Calls} on one gateway, until closed. */
export interface Service {
  readonly call: Calls;
  /** tells who shows a token */
  readonly access: Access;
  /** Makes an admin token where none counts: see {@link createAccess}. */
  ensureAdmin(keep: (token: string) => void): boolean;
  close(): void;
}

/**
 * Answers what people and programs ask of a gateway.
 *
 * @param gateway composed
 * @param about what it cannot know by itself
 */
export function createService(gateway: Composed, about: About): Service {
  const { store, registry, monitor, loop, task, clock } = gateway;
  const tokens = createAccess(gateway);
  const histories = new Map<string, DeviceView['history']>();
  /** devices that a rollout began with */
  const beginnings = new Map<string, string[]>();
  const listeners = new Set<(event: GatewayEvent) => void>();
  let lastEvent = store.journal.find({ order: 'newest', limit: 1 })[0]?.id ?? 0;

  const endTrail = startTrail(gateway);
  const polling = setInterval(() => {
    for (const event of store.journal.find({ afterId: lastEvent })) {
      lastEvent = event.id;
      for (const listener of listeners) listener(event as GatewayEvent);
    }
  }, POLL_MS);
  const drawing = setInterval(() => {
    for (const device of store.devices.list({ task: task.name })) {
      const history = histories.get(device.id) ?? [];
      histories.set(device.id, history);
      history.push({ at: Date.now(), ...measured(device.id) });
      if (history.length > HISTORY_POINTS) history.shift();
    }
  }, HISTORY_MS);

  function measured(id: string): { accuracy: number | null; score: number | null } {
    const simulated = about.simulated?.(id);
    const accuracy = monitor.accuracy(id);
    const scores = store.samples.newest(id, SCORED).map(({ score }) => score);
    return {
      accuracy: simulated === undefined ? (accuracy.windowed ?? null) : simulated.accuracy,
      score: scores.length === 0 ? null : scores.reduce((sum, s) => sum + s, 0) / scores.length,
    };
  }

  function toDevice(device: Device): DeviceView {
    const { id, board, release, session, state, version } = device;
    const heard = store.samples.newest(id, 1)[0]?.at ?? 0;
    const alarm = monitor.alarmOf(id);
    const simulated = about.simulated?.(id);
    return {
      ...{ id, board, release, version, lastSeen: Math.max(device.lastSeen, heard) },
      connected: loop.online.has(id),
      synthetic: simulated !== undefined,
      wearer: simulated?.wearer ?? null,
      scope: version === null ? null : scopeName(registry.get(version).manifest.scope),
      state: STATES[state] ?? 'empty',
      ...measured(id),
      history: histories.get(id) ?? [],
      alarm: alarm && {
        ...{ since: alarm.since, what: alarm.what, message: alarmText(alarm) },
        silencedUntil: loop.alarms.silencedUntil(id, alarm.what),
      },
      measured: measuredOf(monitor.quality([id])),
      estimated: estimatedOf(monitor.estimate([id])),
      samples: store.samples.stored(id),
      dropped: store.samples.progress(id, session).dropped,
      wear: loop.wear.of(id),
      link: linkViewOf(gateway, id),
    };
  }

  function toModel({ version, manifest, stage, report, at }: Model): ModelView {
    const { parts, parent, scope, lineage } = manifest;
    return {
      ...{ version, parent, stage, createdAt: at, scope: scopeName(scope), rung: lineage.rung },
      rollout: wayOf(version),
      release: registry.latestRelease(version) ?? 0,
      parts: partNames.map((part: PartName) => ({
        ...{ part, id: parts[part].sha256, bytes: parts[part].length },
      })),
      gate: report as ModelView['gate'],
    };
  }

  function wayOf(version: string): ModelView['rollout'] {
    const found = loop.rollouts.of(version);
    if (found === undefined) return null;
    const members = Object.values(found.members);
    const confirmed = members.filter(({ stage }) => stage === 'confirmed').length;
    return { id: found.id, stage: found.stage, devices: members.length, confirmed };
  }

  function toRollout(state: RolloutState): RolloutView {
    const { id, version, champion, scope, stage, startedAt, endedAt, why, release } = state;
    const left = endedAt !== null && beganWith(id).some((device) => !(device in state.members));
    const reason = left ? `${why} (others have a newer version since)` : why;
    return {
      ...{ id, version, previous: champion, stage, startedAt, endedAt, reason },
      scope: scopeName(scope),
      devices: [
        ...state.order.map((device) => ({
          ...{ id: device, state: state.members[device]!.stage },
          reason: state.members[device]!.reason,
          wireBytes: loop.wireBytes(release, device),
        })),
        ...(state.spared ?? []).map((device) => ({
          ...{ id: device, state: 'spared', wireBytes: 0 },
          reason: 'its world is as it was',
        })),
      ],
    };
  }

  function beganWith(rollout: string): string[] {
    let devices = beginnings.get(rollout);
    if (devices === undefined) {
      const [event] = store.journal.find({ kind: 'rollout.started', subject: rollout });
      devices = (event?.data.devices ?? []) as string[];
      beginnings.set(rollout, devices);
    }
    return devices;
  }

  function whole(prefix: string): string {
    const version = registry.find(prefix);
    if (version !== undefined) return version;
    throw new GatewayError('not-found', `no model, or more than one, begins with '${prefix}'`, {
      hint: 'see: whetstone models',
    });
  }

  const rolloutOf = (id: string): RolloutView => toRollout(loop.rollouts.get(id)!);

  const call: Calls = {
    async status(): Promise<Status> {
      const devices = store.devices.list({ task: task.name });
      return {
        sentence: about.sentence,
        synthetic: about.simulated !== undefined,
        ...{ task: task.name, classes: task.classes, startedAt: about.startedAt, at: clock.now() },
        devices: devices.map((device) => deviceSummary(toDevice(device), devices.length)),
        rollouts: loop.rollouts.list(NEWEST).map((state) => rolloutSummary(toRollout(state))),
        training: trainingOf(loop.schedule.state()),
        store: storeOf(gateway),
        lastEvent,
      };
    },
    devices: async () => store.devices.list().map(toDevice),
    async device(id) {
      const device = store.devices.get(id);
      if (device === undefined) throw noDevice(id);
      return toDevice(device);
    },
    models: async () => registry.list().map(toModel),
    model: async (version) => toModel(registry.get(whole(version))),
    rollouts: async () => loop.rollouts.list().map(toRollout),
    rollout: async (id) => toRollout(loop.rollouts.known(id)),
    async approveRollout(id, by = PERSON) {
      loop.rollouts.approve(id, by);
      return rolloutOf(id);
    },
    async stopRollout(id, { reason = 'stopped by hand' } = {}, by = PERSON) {
      loop.rollouts.stop(id, { who: by, why: reason });
      return rolloutOf(id);
    },
    ...tokens.calls,
    ...(about.ports ?? noPorts),
    ...boxService(store.directory, about.keyFile, clock.now),
    ...labelService(gateway),
    ...windowService(gateway, whole),
    ...historyService(gateway),
    ...signingService(gateway, whole),
    ...keyService(gateway, { allowWeakLink: about.allowWeakLink === true, versionOf: whole }),
    alarms: async () => viewOfAlarms(loop.alarms),
    silence: async ({ subject, what = null, forMs }, by) =>
      loop.alarms.silence({ subject, what, until: clock.now() + forMs }, by),
    unsilence: async (request, by) => ({ ended: loop.alarms.unsilence(request, by).length }),
    async quality(scope) {
      return viewOfQuality(monitor, scope, devicesOf(gateway, scope).devices, task);
    },
    events: async ({ since, limit } = {}) => {
      const wanted = limit ?? 100;
      const found =
        since === undefined
          ? store.journal.find({ order: 'newest', limit: wanted }).reverse()
          : store.journal.find({ afterId: since, limit: wanted });
      return found as GatewayEvent[];
    },
    async train({ scope }, by = PERSON) {
      const { scope: of, devices } = knownScope(gateway, scope);
      const held = devices.map(loop.rollouts.waiting).find((id) => id !== undefined);
      if (held !== undefined) throw waitsForPerson(scope, held);
      let although: string[] = [];
      const onStart = (despite: string[]) => {
        although = despite;
      };
      const healed = await loop.heal(of, { who: by, onStart });
      const { version, attempts, reason, trainMs } = healed;
      const rung = version === null ? null : registry.get(version).manifest.lineage.rung;
      const tried = attempts.at(-1)?.rung ?? null;
      return {
        ...{ scope, version, reason, trainMs, although },
        released: version !== null,
        rung: rung ?? tried,
      };
    },
    async promote(prefix, by = PERSON) {
      const version = whole(prefix);
      const { stage, manifest } = registry.get(version);
      if (stage === 'champion') {
        const because = { who: by, why: 'released again by hand' };
        const renewed = loop.rollouts.renew(version, because);
        if (renewed !== undefined) return rolloutOf(renewed);
        const scope = scopeName(manifest.scope);
        throw new GatewayError('not-allowed', `v${version.slice(0, 8)} serves ${scope} already`);
      }
      return rolloutOf(loop.rollouts.start(version, { who: by, why: 'promoted by hand' }));
    },
    async rollback(prefix, by = PERSON) {
      const version = prefix === undefined ? undefined : whole(prefix);
      const because = { who: by, why: 'rolled back by hand', task: task.name };
      return rolloutOf(loop.rollouts.rollback(version, because));
    },
    async exportModel(prefix, format) {
      const { exportVersion } = await import('./model-files.ts');
      const version = whole(prefix);
      const file = exportVersion(registry, version, format, task);
      return { version, format, file: Buffer.from(file).toString('base64') };
    },
    async importModel({ task: wanted, file, look = false }, by = PERSON) {
      if (wanted !== task.name) {
        throw new GatewayError('not-allowed', `this gateway is for task '${task.name}'`, {
          hint: `import it there, or start a gateway: whetstone start --task ${wanted}`,
        });
      }
      const { importFile } = await import('./model-files.ts');
      return importFile({ store, registry, task }, Buffer.from(file, 'base64'), { look, who: by });
    },
    on(_name, listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return {
    call,
    access: tokens.access,
    ensureAdmin: tokens.ensureAdmin,
    close() {
      tokens.close();
      endTrail();
      clearInterval(polling);
      clearInterval(drawing);
    },
  };
}

/** What is trained now could be given to nobody before a person has said yes or no. */
function waitsForPerson(scope: string, rollout: string): GatewayError {
  const short = rollout.slice(0, 8);
  return new GatewayError('not-allowed', `rollout ${short} to ${scope} waits for a person`, {
    hint: `first npx whetstone rollouts approve ${short}, or stop ${short}; then train`,
  });
}

function trainingOf({ running, queue, waits, dueAt }: ScheduleState): TrainingView {
  const wanted = ({ scope, why }: Wanted) => ({ scope, why });
  return {
    running: running && wanted(running),
    queue: queue.map(wanted),
    waiting: waits && { scope: waits.scope, since: waits.since, sentence: waits.sentence },
    dueAt,
  };
}

function storeOf({ store, retention }: Composed): StoreView {
  const state = retention?.state();
  return {
    ...{ bytes: store.size().file, keyId: store.vault.keyId, fullSince: store.fullSince ?? null },
    retention:
      retention && state
        ? {
            ...retention.limits,
            ...{ removed: state.removed, removedAt: state.removedAt },
            crowdedSince: state.crowdedSince,
          }
        : null,
  };
}
