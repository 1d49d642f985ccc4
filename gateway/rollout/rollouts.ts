import { randomUUID } from 'node:crypto';
import type { Answers } from '../answers.ts';
import { type ErrorCode, GatewayError } from '../errors.ts';
import { type Scope, scopeName } from '../registry/manifest.ts';
import type { Because, Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import { stableOrder } from './cohorts.ts';
import { next } from './machine.ts';
import { isRotten } from './refusals.ts';
import {
  addLabel,
  addWindow,
  goesOn,
  type Member,
  nothingSeen,
  type RolloutEffect,
  type RolloutInput,
  type RolloutSettings,
  type RolloutState,
  rolloutDefaults,
  type Seen,
} from './state.ts';

/** What a rollout asks of the devices; bound to their sessions. A device that is away is left out. */
export interface RolloutLink {
  /** @returns why the gateway does not let it go out; undefined where it does */
  offer(
    device: string,
    version: string,
    release: number,
  ): { code: ErrorCode; why: string } | undefined;
  confirm(device: string, release: number): void;
  revert(device: string, release: number): void;
}

/** How a rollout begins. */
export interface StartOptions extends Because {
  /** trained on few labels: see {@link RolloutState} */
  provisional?: boolean;
  /** released on the failure of the version before: see {@link RolloutState} */
  unproven?: boolean;
  /** devices that keep what they run: nothing is wrong with it */
  spared?: readonly string[];
  /**
   * windows from then on are the past that it is compared with, ms since 1970: the beginning of the
   * drift that it is to heal. Without it a good update would have to match better days.
   */
  since?: number;
  settings?: Partial<RolloutSettings>;
}

/** All rollouts of a gateway. */
export interface Rollouts {
  /**
   * Begins to roll a candidate out to the devices of its scope.
   *
   * @returns id of the rollout
   * @throws GatewayError 'not-allowed' if a device is in another rollout that has not settled
   */
  start(version: string, options: StartOptions): string;
  /**
   * Undoes the rollout of a version, or the newest one that can be undone.
   *
   * @returns id of the rollout
   * @throws GatewayError 'not-found' if there is none; 'not-allowed' if no device had a model before
   */
  rollback(version: string | undefined, because: Because): string;
  /**
   * Lets a rollout go on whose canaries have passed.
   *
   * @param who says yes
   * @throws GatewayError 'not-found' if there is none of this id; 'not-allowed' if it does not wait for that
   */
  approve(id: string, who: string): void;
  /**
   * Ends a rollout that has not settled, and takes back what went out.
   *
   * @throws GatewayError 'not-found' if there is none of this id; 'not-allowed' if it is over
   */
  stop(id: string, because: Because): void;
  /**
   * Lets the release of a version be offered again: one whose time is over, or whose key is revoked.
   *
   * @returns id of its rollout; undefined where nothing keeps it from being offered, or no rollout has it
   * @throws GatewayError as the registry's `renew`
   */
  renew(version: string, because: Because): string | undefined;
  hello(device: string, seen: { release: number; state: number }): void;
  offline(device: string): void;
  status(device: string, seen: { release: number; code: number }): void;
  window(device: string, seen: { release: number; score: number }): void;
  /** @param seen `before`: whether the version before is right on the same window, where that is known */
  label(device: string, seen: { release: number; correct: boolean; before?: boolean }): void;
  /** The raw window of a label came after it: what the version before says of it is known now. */
  pair(device: string, seen: { release: number; correct: boolean; before: boolean }): void;
  /** What a device ran before a release that is on trial on it; null where none is. */
  replaced(device: string, release: number): string | null;
  /** To be called now and then: devices that fell silent are asked again. */
  tick(): void;
  /** Devices that a release spared get it after all: their world has changed since. */
  include(devices: readonly string[]): void;
  /** Is the device in a rollout that has not settled? Then it can be in no other. */
  busy(device: string): boolean;
  /** Id of the rollout of a device that waits for a person's yes; undefined where none does. */
  waiting(device: string): string | undefined;
  get(id: string): RolloutState | undefined;
  /** @throws GatewayError 'not-found' if there is none of this id */
  known(id: string): RolloutState;
  /**
   * Newest last.
   *
   * @param newest so many of the newest, and all that are on their way or back; without it all
   */
  list(newest?: number): RolloutState[];
  /** Stores what only windows changed; call it before the process ends. */
  save(): void;
}

const plainReads: Pick<Answers, 'worth' | 'isRight'> = {
  worth: ({ score }) => score,
  isRight: (said, truth) => said === truth,
};

/** Windows of a device's past that the new version is compared with. */
const pastWindows = 100;
/** Windows may change a state this often before it is stored: a restart then soaks a little longer. */
const unsavedWindows = 20;

/**
 * Runs the rollout machines: stores each state before anything is done about it, and takes up after
 * a restart whatever was under way. Sessions begin with a hello, and a hello makes the machine ask
 * again for what it waits for; so nothing else has to be repeated.
 *
 * @param store where states are kept
 * @param registry versions and releases
 * @param link to the devices
 * @param now ms since 1970
 * @param reads what the stored windows of a device say of its model; default: as a class with a margin
 * @param approval of rollouts that begin from now on
 */
export function createRollouts(
  store: Store,
  registry: Registry,
  link: RolloutLink,
  now: () => number = Date.now,
  reads: Pick<Answers, 'worth' | 'isRight'> = plainReads,
  approval: RolloutSettings['approval'] = 'none',
): Rollouts {
  const active = new Map<string, RolloutState>();
  const unsaved = new Map<string, number>();
  for (const { id, state } of store.states.rollouts({ active: true })) {
    const loaded: RolloutState = JSON.parse(state);
    // Nobody is connected yet, and nobody is late: that the gateway was away is not their silence.
    for (const member of Object.values(loaded.members)) {
      // what was stored before pairs were counted has none
      for (const period of ['past', 'during', 'after'] as const) {
        member[period] = { ...nothingSeen, ...member[period] };
      }
      member.online = false;
      member.at = now();
    }
    active.set(id, loaded);
  }

  function save(state: RolloutState): void {
    unsaved.delete(state.id);
    store.states.saveRollout({
      ...{ id: state.id, at: state.startedAt, active: state.stage !== 'superseded' },
      state: JSON.stringify(state),
    });
  }

  /** @throws GatewayError 'not-found' */
  function known(id: string): RolloutState {
    const found = active.get(id) ?? stored(id);
    if (found !== undefined) return found;
    throw new GatewayError('not-found', `no rollout '${id}'`, { hint: 'see: whetstone rollouts' });
  }

  function stored(id: string): RolloutState | undefined {
    const row = store.states.rollouts().find((one) => one.id === id);
    return row && JSON.parse(row.state);
  }

  /** Takes one step: what belongs into the store is one transaction, then the devices are asked. */
  function feed(id: string, input: RolloutInput): void {
    const before = active.get(id) as RolloutState;
    let { state, effects } = next(before, input);
    const asked: RolloutEffect[] = [];
    if (effects.length === 0 && ['window', 'label', 'pair'].includes(input.t)) {
      const count = (unsaved.get(id) ?? 0) + 1;
      unsaved.set(id, count);
      if (count >= unsavedWindows) save(state);
    } else if (effects.length > 0 || input.t !== 'tick') {
      store.transaction(() => {
        while (effects.length > 0) {
          const inside = effects.flatMap((effect) => keep(state, effect, asked));
          effects = [];
          for (const answer of inside) {
            const step = next(state, answer);
            state = step.state;
            effects.push(...step.effects);
          }
        }
        save(state);
      });
    }
    if (state.stage === 'superseded') active.delete(id);
    else active.set(id, state);
    for (const effect of asked) tell(id, effect);
  }

  /** Does what belongs into the store; what is for a device is put aside until that is stored. */
  function keep(s: RolloutState, effect: RolloutEffect, asked: RolloutEffect[]): RolloutInput[] {
    const at = now();
    const by = (why: string): Because => ({ who: `rollout ${s.id}`, why });
    if (effect.t === 'stage') {
      const { stage, why } = effect;
      const kind = stage === 'settled' ? 'rollout.done' : 'rollout.stage';
      const about = { version: s.version, release: s.release, scope: scopeName(s.scope) };
      const data = { stage, reason: why, ...about };
      store.journal.write(stage === 'returning' ? 'rollout.rolledback' : kind, s.id, data, at);
    } else if (effect.t === 'device') {
      const { device, stage, reason } = effect;
      const data = { rollout: s.id, version: s.version, release: s.release, stage, reason };
      store.journal.write('rollout.device', device, data, at);
    } else if (effect.t === 'decided') {
      const { what, who, why } = effect;
      const about = { version: s.version, release: s.release, scope: scopeName(s.scope) };
      store.journal.write(`rollout.${what}`, s.id, { who, why, ...about }, at);
    } else if (effect.t === 'crown') {
      if (registry.get(s.version).stage !== 'champion') {
        registry.setStage(s.version, 'champion', by(s.why));
      }
    } else if (effect.t === 'restore') {
      const before = s.champion;
      registry.setStage(s.version, 'rolledback', by(effect.why));
      if (before !== null && registry.get(before).stage === 'retired') {
        registry.setStage(before, 'champion', by(`${s.version} was rolled back`));
      }
    } else if (effect.t === 'issue') {
      const { version } = effect;
      try {
        const release = registry.release(version, `the way back from release ${s.release}`);
        return [{ t: 'issued', version, release, now: at }];
      } catch (error) {
        // its key is revoked, say; a full disk is no reason to give the way back up
        if (!(error instanceof GatewayError && isRotten(error.code))) throw error;
        return [{ t: 'unissued', version, why: error.line(), now: at }];
      }
    } else asked.push(effect);
    return [];
  }

  function tell(id: string, effect: RolloutEffect): void {
    if (effect.t === 'offer') {
      const { device, release } = effect;
      const refused = link.offer(device, effect.version, release);
      if (!refused || !active.has(id)) return;
      const { code, why } = refused;
      feed(id, { t: 'refused', device, release, rotten: isRotten(code), why, now: now() });
    } else if (effect.t === 'confirm') link.confirm(effect.device, effect.release);
    else if (effect.t === 'revert') link.revert(effect.device, effect.release);
  }

  function isOffered(release: number): boolean {
    try {
      registry.offer(release);
      return true;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return false;
    }
  }

  /** Rollouts that a device is part of. */
  function each(device: string, input: (now: number) => RolloutInput): void {
    for (const [id, state] of [...active]) {
      if (state.members[device] !== undefined) feed(id, input(now()));
    }
  }

  /** @throws GatewayError 'not-allowed' if one of the devices is in a rollout that goes on */
  function refuseIfBusy(devices: readonly string[]): void {
    for (const [id, state] of active) {
      if (!goesOn(state)) continue;
      const shared = devices.find((device) => state.members[device] !== undefined);
      if (shared === undefined) continue;
      throw new GatewayError('not-allowed', `device ${shared} is in rollout ${id} already`, {
        hint:
          state.stage === 'awaiting-approval'
            ? `it waits for a yes: whetstone rollouts approve ${id}`
            : 'wait until it has settled, or undo it: whetstone rollback',
      });
    }
  }

  function takeOver(task: string, scope: Scope, devices: readonly string[]): void {
    for (const [id, state] of [...active]) {
      const same =
        state.task === task && state.scope.kind === scope.kind && state.scope.id === scope.id;
      if (same) feed(id, { t: 'supersede', now: now() });
      else if (devices.some((device) => state.members[device] !== undefined)) leave(id, devices);
    }
  }

  /** Devices that another rollout takes over are no longer this one's business. */
  function leave(id: string, devices: readonly string[]): void {
    const state = structuredClone(active.get(id) as RolloutState);
    state.order = state.order.filter((device) => !devices.includes(device));
    for (const device of devices) delete state.members[device];
    save(state);
    active.set(id, state);
  }

  function start(version: string, options: StartOptions): string {
    const { manifest } = registry.get(version);
    const { task, scope } = manifest;
    const spared = [...(options.spared ?? [])];
    const devices = registry.served(task, scope).filter(({ id }) => !spared.includes(id));
    const ids = devices.map((device) => device.id);
    const id = randomUUID();
    const at = now();
    refuseIfBusy(ids);
    const champion = registry.champion(task, scope) ?? null;
    const state = store.transaction(() => {
      if (registry.get(version).stage !== 'trial') registry.setStage(version, 'trial', options);
      const made: RolloutState = {
        ...{ id, task, version, scope, champion, provisional: options.provisional ?? false },
        unproven: options.unproven ?? false,
        ...(spared.length > 0 && { spared }),
        ...{ stage: 'canary', why: options.why, startedAt: at, endedAt: null, back: {} },
        release: registry.release(version, options.why),
        settings: { ...rolloutDefaults, approval, ...options.settings },
        order: stableOrder(ids, version),
        members: Object.fromEntries(
          devices.map((device) => [
            device.id,
            newMember(
              device.version,
              online.has(device.id),
              at,
              past(device.id, device.release, options.since),
            ),
          ]),
        ),
      };
      takeOver(task, scope, ids);
      const data = {
        version,
        scope: scopeName(scope),
        devices: ids,
        ...(spared.length > 0 && { spared }),
      };
      store.journal.write('rollout.started', id, data, now()); // behind what the registry wrote
      save(made);
      return made;
    });
    active.set(id, state);
    feed(id, { t: 'begin', now: at });
    return id;
  }

  function past(device: string, release: number, since?: number): Seen {
    const samples = store.samples.find({
      ...{ device, release, since, quarantined: false, order: 'newest', limit: pastWindows },
    });
    return samples.reduce((seen, { score, label, cls }) => {
      const more = addWindow(seen, reads.worth({ cls, score }));
      return label === null ? more : addLabel(more, reads.isRight(cls, label.cls));
    }, nothingSeen);
  }

  const online = new Set<string>();
  return {
    start,
    rollback(version, { who, why }) {
      const candidates = [...active.values()].filter(
        (s) =>
          !['returning', 'returned'].includes(s.stage) &&
          (version === undefined || s.version === version),
      );
      const found = candidates.at(-1);
      if (found === undefined) {
        throw new GatewayError('not-found', 'there is no rollout to undo', {
          hint: 'see: whetstone rollouts',
        });
      }
      const members = Object.values(found.members);
      if (members.length > 0 && members.every(({ previous }) => previous === null)) {
        const name = scopeName(found.scope);
        throw new GatewayError(
          'not-allowed',
          `${found.version.slice(0, 8)} is the first model of ${name}`,
          {
            hint: 'there is none to go back to; name another version',
          },
        );
      }
      feed(found.id, { t: 'rollback', why: `${who}: ${why}`, now: now() });
      return found.id;
    },
    approve(id, who) {
      const { stage } = known(id);
      if (stage !== 'awaiting-approval') {
        const hint = 'see: whetstone rollouts';
        throw new GatewayError('not-allowed', `rollout ${id} ${unasked(stage)}`, { hint });
      }
      feed(id, { t: 'approve', who, now: now() });
    },
    stop(id, { who, why }) {
      const { stage, version } = known(id);
      if (!goesOn({ stage })) {
        throw new GatewayError('not-allowed', `rollout ${id} is over: ${stage}`, {
          hint:
            stage === 'settled'
              ? `undo it: whetstone rollback ${version.slice(0, 8)}`
              : 'see: whetstone rollouts',
        });
      }
      feed(id, { t: 'stop', who, why, now: now() });
    },
    renew(version, { who, why }) {
      const found = [...active.values()].find(
        (s) => s.version === version && (goesOn(s) || s.stage === 'settled'),
      );
      if (found === undefined || isOffered(found.release)) return undefined;
      registry.renew(found.release, `${who}: ${why}`);
      feed(found.id, { t: 'renewed', now: now() });
      return found.id;
    },
    hello(device, { release, state }) {
      online.add(device);
      enrol(device);
      each(device, (at) => ({ t: 'hello', device, release, state, now: at }));
    },
    offline(device) {
      online.delete(device);
      each(device, (at) => ({ t: 'offline', device, now: at }));
    },
    status: (device, seen) => each(device, (at) => ({ t: 'status', device, ...seen, now: at })),
    window: (device, seen) => each(device, (at) => ({ t: 'window', device, ...seen, now: at })),
    label: (device, seen) => each(device, (at) => ({ t: 'label', device, ...seen, now: at })),
    pair: (device, seen) => each(device, (at) => ({ t: 'pair', device, ...seen, now: at })),
    tick() {
      for (const id of [...active.keys()]) feed(id, { t: 'tick', now: now() });
    },
    busy: (device) =>
      [...active.values()].some((s) => goesOn(s) && s.members[device] !== undefined),
    waiting: (device) =>
      [...active.values()].find(
        (s) => s.stage === 'awaiting-approval' && s.members[device] !== undefined,
      )?.id,
    replaced(device, release) {
      const on = [...active.values()].find((s) => s.release === release && goesOn(s));
      return on?.members[device]?.previous ?? null;
    },
    get: (id) => active.get(id) ?? stored(id),
    known,
    list(newest = Number.POSITIVE_INFINITY) {
      const rows = store.states.rollouts();
      const isMoving = (s?: RolloutState) => s && (goesOn(s) || s.stage === 'returning');
      return rows
        .filter(({ id }, i) => i >= rows.length - newest || isMoving(active.get(id)))
        .map(({ id, state }) => active.get(id) ?? JSON.parse(state));
    },
    include(devices) {
      for (const [id, state] of [...active]) {
        const back = devices.filter((device) => state.spared?.includes(device));
        if (back.length === 0) continue;
        const spared = state.spared!.filter((device) => !back.includes(device));
        const changed = { ...structuredClone(state), spared };
        save(changed);
        active.set(id, changed);
        for (const device of back) enrol(device);
      }
    },
    save() {
      for (const id of [...unsaved.keys()]) save(active.get(id) as RolloutState);
    },
  };

  /** A device that the gateway did not know when a rollout of its scope began. */
  function enrol(device: string): void {
    const known = store.devices.get(device);
    if (known === undefined) return;
    for (const [id, s] of [...active]) {
      if (s.members[device] !== undefined || s.task !== known.task) continue;
      if (s.stage === 'returning' || s.stage === 'returned') continue;
      if (s.spared?.includes(device) && known.version !== null) continue;
      const taken = [...active.values()].some((other) => other.members[device] !== undefined);
      if (taken || !registry.served(s.task, s.scope).some((d) => d.id === device)) continue;
      feed(id, { t: 'enrol', device, previous: known.version, now: now() });
    }
  }
}

/** Why a rollout takes no yes. */
function unasked(stage: RolloutState['stage']): string {
  if (stage === 'rest' || stage === 'settled') {
    return `waits for no approval any more: it goes out already (${stage})`;
  }
  const isOver = stage === 'canary' ? 'its canaries have not passed yet' : 'it was ended';
  return `waits for no approval: ${isOver} (${stage})`;
}

function newMember(previous: string | null, online: boolean, at: number, past: Seen): Member {
  return {
    ...{ stage: 'waiting', canary: false, online, at, attempts: 0, reason: '', previous, past },
    ...{ during: nothingSeen, after: nothingSeen },
  };
}
