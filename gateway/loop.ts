import { setImmediate } from 'node:timers/promises';
import { EVENTS, STATUSES } from '../device/core/messages.ts';
import { kindOf } from '../device/kind.ts';
import { type Alarms, createAlarms } from './alarms.ts';
import { answersOf } from './answers.ts';
import { measured, type Origin, toRow } from './arrival.ts';
import { type Asking, createAsking } from './asking.ts';
import type { Budget } from './budget/budget.ts';
import { createChatter } from './chatter.ts';
import { GatewayError } from './errors.ts';
import { createDebts, unlessFull } from './full-disk.ts';
import { type Healed, heal } from './heal.ts';
import { type Connection, connect } from './link/connect.ts';
import type { DeviceEvent, Hello, Sample, Status } from './link/messages.ts';
import type { Clock, Port } from './link/port.ts';
import type { Alarm, Monitor, SeenLabel } from './monitor/monitor.ts';
import { createMonitorMemory } from './monitor-memory.ts';
import { createRegimes } from './regimes.ts';
import type { Scope } from './registry/manifest.ts';
import type { Registry } from './registry/registry.ts';
import { isRefusal } from './rollout/refusals.ts';
import { createRollouts, type Rollouts } from './rollout/rollouts.ts';
import { factsOf } from './schedule/facts.ts';
import { type AskOptions, createScheduler, type Scheduler } from './schedule/scheduler.ts';
import { createShadow, type Shadowed } from './shadow.ts';
import { checkLimits, checkSample } from './store/check.ts';
import type { EventKind } from './store/event-kinds.ts';
import { isModel } from './store/resolve.ts';
import type { Store } from './store/store.ts';
import type { NewSample, SampleKey, Sample as StoredSample } from './store/types.ts';
import { isWeak, type Suite } from './suites.ts';
import type { Task } from './task.ts';
import { trustOf } from './trust.ts';
import { createTruths, type Truth, type Truths } from './truths.ts';
import { createTold, type TurnedAway, tooWeak, turnedAway } from './turned-away.ts';
import { fallsShort, reportOf } from './versions.ts';
import { createWear, type Wear } from './wear.ts';

/**
 * sense → infer → stream → check → store → watch → retrain → prove → register → roll out →
 * self-test → confirm.
 *
 * A device senses, infers and streams (`device/core/device.ts`). What it says arrives at `attach`:
 * `arrive` checks and stores a window and lets the monitor watch it; `truth` adds what it really
 * was. An alarm and enough labels make the schedule (`schedule/`) retrain, prove and register a
 * version (`heal.ts`) and roll it out (`rollout/`); the devices test themselves, run it on trial,
 * and are confirmed.
 */
export interface Loop {
  /**
   * Lets a device take part, for as long as its port lives.
   *
   * @param patient a port that cannot be opened yet is waited for, and the log says so
   * @throws GatewayError 'port' if it cannot be opened, and is not waited for
   */
  attach(port: Port, clock?: Clock, patient?: boolean): Promise<Connection>;
  /** Closes what {@link attach} gave: its device is gone, and the port is free. */
  detach(connection: Connection): Promise<void>;
  /**
   * Takes a window that a device reported: what `attach` does with everything on a port, for those who
   * have none.
   *
   * @param done told whether it is durable
   */
  arrive(device: string, sample: Sample, done: (kept?: boolean) => void): Promise<void>;
  /** Takes what a device says of its update. */
  hear(device: string, status: Status): void;
  /**
   * Adds what a stored window really was; it may come long after the window.
   *
   * @throws GatewayError 'not-found' (no sample of that name), 'not-allowed' (no such class)
   */
  truth(label: Truth): Promise<StoredSample>;
  /** Labels in bulk, and taken back. */
  readonly labels: Pick<Truths, 'addRows' | 'withdraw'>;
  readonly asking: Pick<Asking, 'learn' | 'ask' | 'whereabouts'>;
  /** Calls back for every window once it is stored, the set-aside ones too. @returns what ends that */
  onWindow(listener: (row: NewSample) => void): () => void;
  /** Calls back for every good raw window once it is stored. @returns what ends that */
  onRaw(listener: (key: SampleKey) => void): () => void;
  /** What is wrong, and who does not want to hear of it. */
  readonly alarms: Omit<Alarms, 'raised' | 'ended' | 'tick'>;
  /** Retrains a scope's model next, and rolls out what passes the gate. */
  heal(scope: Scope, options?: AskOptions): Promise<Healed>;
  /** What is trained, what is to be, and what it waits for. */
  readonly schedule: Pick<Scheduler, 'state'>;
  readonly rollouts: Rollouts;
  /** What the updates cost the flash of the devices. */
  readonly wear: Pick<Wear, 'of'>;
  readonly online: ReadonlyMap<string, Connection>;
  /** How a device's link is secured; undefined for one that has not been here. */
  linkOf(device: string): DeviceLink | undefined;
  /** A device's keys were changed: what it says counts for nothing until it has proven itself anew. */
  forget(device: string): void;
  /** Whether a device has an alarm, or a model that is better than the last and not yet good. */
  wantsLabels(device: string): boolean;
  /** When the present regime of a device began, ms since 1970; 0 if it never changed. */
  regime(device: string): number;
  /** Bytes that a release cost on the wire, there and back; of one device, or of all. */
  wireBytes(release: number, device?: string): number;
  close(): Promise<void>;
}

/** The suite of a device's link, and whether it is less than a real board should have. */
export interface DeviceLink {
  suite: Suite;
  weak: boolean;
}

export interface LoopParts {
  task: Task;
  store: Store;
  registry: Registry;
  monitor: Monitor;
  clock: Clock;
  /** heals by itself, as the task's schedule says; else only when told to */
  automatic: boolean;
  /** what this machine can spare for it; without one, training waits for nothing */
  budget?: Budget;
  /** real boards may speak under weaker suites than theirs, and under none */
  allowWeakLink?: boolean;
  /** whether a person is asked once the canaries of a rollout have passed; default 'none' */
  approval?: 'none' | 'canary';
  seed: number;
}

/** How often rollouts look for devices that fell silent. */
const TICK_MS = 5000;
/** State of a device that runs a confirmed model; see the message `hello`. */
const CONFIRMED = 1;
/** Releases whose versions are at hand: more than a fleet runs at once. */
const VERSIONS_KEPT = 64;
/** Raw windows asked for when an alarm comes: what a device still holds of the new regime. */
const ASKED = 32;
/** While a sensor is sick, one in so many windows is asked for raw, to see whether it is well again. */
const PROBE = 4;
/** Statuses that refuse an update; each is counted under its name. */
const REFUSED = new Set<string>(Object.values(STATUSES).filter(isRefusal));
/** Most bytes of raw windows in a frame: a window of the task and what a sample carries beside it. */
const FRAME_BYTES = 1024;

/** Binds the modules to one loop. @param parts one of each; the store is closed by its owner */
export function createLoop(parts: LoopParts): Loop {
  const { task, store, registry, monitor, clock, automatic, allowWeakLink = false } = parts;
  const { journal } = store;
  const axes = task.sensor.axes.length;
  const answers = answersOf(task);
  const asRow = { task: task.name, answers, trust: trustOf(task, 'device') };
  const windowBytes = task.window.samples * axes;
  const ports = new Map<Connection, () => void>();
  const listeners = new Set<(key: SampleKey) => void>();
  const readers = new Set<(row: NewSample) => void>();
  const online = new Map<string, Connection>();
  const watched = new Map(
    Object.entries(store.states.load<Record<string, number>>('watched') ?? {}),
  );
  const links = new Map<string, DeviceLink>();
  const versions = new Map<number, string>();
  const isNews = createTold();
  const last = new Map<string, { session: number; seq: number; t: number }>();
  const regimes = createRegimes(store, task, store.states.load('regimes'));
  const memory = createMonitorMemory({
    ...{ store, monitor, now: clock.now },
    others: () => ({ watched: Object.fromEntries(watched), regimes: regimes.state() }),
  });
  const debts = createDebts();
  const chatter = createChatter(clock.now);
  const wear = createWear(store);
  const shadow = createShadow(registry, task);
  const truths = createTruths({
    ...{ task, store, clock, judged, labelled, answers },
    wanted({ device, session, seq }) {
      if (last.get(device)?.session === session) online.get(device)?.ask([seq]);
    },
  });

  const alarms = createAlarms({
    ...{ task, store, monitor, clock, write },
    onOver(device) {
      regimes.withdraw(device);
      memory.save(device);
    },
  });

  const rollouts = createRollouts(
    store,
    registry,
    {
      offer(device, _version, release) {
        try {
          const { bytes, expires: endMs, ...offer } = registry.offer(release, task.name);
          const { trialWindows } = task.rollout;
          const kind = kindOf(store.devices.get(device)?.board ?? '', task.name);
          const expires = Math.floor(endMs / 1000);
          online.get(device)?.offer({ ...offer, trialWindows, kind, expires }, bytes);
          return undefined;
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error; // it does not verify: it stays here
          const { code } = error;
          turnedDown(device, { release, code, by: 'gateway', reason: error.line() });
          return { code, why: error.line() };
        }
      },
      confirm: (device, release) => online.get(device)?.confirm(release),
      revert: (device, release) => online.get(device)?.revert(release),
    },
    clock.now,
    answers,
    parts.approval,
  );

  const scheduler = createScheduler({
    ...{ task, states: store.states, clock, budget: parts.budget, automatic, write },
    facts: factsOf({ task, store, rollouts, regimes, wantsLabels: (id) => wantsLabels(id) }),
    train: (scope, options) =>
      heal(
        { ...parts, rollouts, regime: regimes.since, settle: (...of) => asking.settle(...of) },
        scope,
        options,
      ),
  });

  const asking = createAsking({
    ...{ task, store, registry, clock, seed: parts.seed, regime: regimes.since },
    ...{ online: () => online.keys(), wantsLabels: (device) => wantsLabels(device), automatic },
    fetch: (device, seqs) => online.get(device)?.ask(seqs),
  });

  let timer = clock.setTimeout(tick, TICK_MS);
  function tick(): void {
    debts.pay();
    unlessFull(() => rollouts.tick());
    unlessFull(() => asking.tick());
    alarms.tick();
    scheduler.tick();
    timer = clock.setTimeout(tick, TICK_MS);
  }

  // ── stream ──────────────────────────────────────────────────────────────────────────────────

  async function attach(port: Port, own: Clock = clock, patient = false): Promise<Connection> {
    let device = ''; // whose samples these are, for as long as they are of its session
    let isHere = false; // it said hello since the port was opened
    let mine: Connection | undefined;
    /** The device behind this port is gone, or another one took its place. */
    const leave = (): void => {
      if (!isHere) return;
      isHere = false;
      if (online.get(device) !== mine) return;
      online.delete(device);
      unlessFull(() => rollouts.offline(device));
    };
    const ready: Promise<Connection> = connect(
      port,
      {
        async onHello(hello, suite) {
          const connection = await ready;
          // without room nobody is greeted: the device says hello again
          return unlessFull(() => {
            if (device !== hello.id) leave();
            if (!greet(hello, port, suite)) {
              leave();
              device = '';
              return undefined;
            }
            device = hello.id;
            isHere = true;
            mine = connection;
            online.set(device, connection);
            const { release, state } = hello;
            rollouts.hello(device, { release, state });
            return store.samples.known(device, hello.session);
          });
        },
        onSample: (sample, done) =>
          device === '' ? done(false) : void arrive(device, sample, done),
        onWindow: (sample) => device !== '' && void keep(device, sample),
        onGone: (session, seq) =>
          device !== '' && unlessFull(() => asking.gone({ device, session, seq })),
        onLost(session, ranges) {
          if (device === '') return;
          const windows = ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
          const below = Math.max(...ranges.map(([, to]) => to)) + 1;
          const [id, at] = [device, clock.now()];
          monitor.lost(id, windows);
          const told = allowed(id);
          debts.owe(() =>
            store.transaction(() => {
              const { dropped } = store.samples.progress(id, session);
              store.samples.noteDropped(id, session, dropped + windows, below);
              if (told) journal.write('device.dropped', id, { windows }, at);
            }),
          );
        },
        onStatus: (status) => isHere && hear(device, status),
        onEvent: (event) => isHere && note(device, event),
        onRefused(refusal) {
          if (refusal.why === 'impostor') {
            unlessFull(() => store.refusals.note(refusal.device, 'impostor', clock.now()));
          }
          const removed = (id: string) => store.keys.knows(id) && store.keys.get(id) === undefined;
          refuse(port, turnedAway(refusal, port.name, removed));
        },
        onRekeyed: (of, generation) => write('key.rotated', of, { generation }),
        onClose: leave,
        onWaiting(why) {
          if (why === undefined) write('port.opened', port.name, {});
          else {
            const reason = why instanceof GatewayError ? why.line() : why.message;
            write('port.waiting', port.name, { reason });
          }
        },
      },
      {
        ...{ policy: task.send, clock: own, maxFrameBytes: FRAME_BYTES + windowBytes },
        ...{ keys: store.keys, plain: port.virtual === true || allowWeakLink, patient },
      },
    );
    ports.set(await ready, leave);
    return ready;
  }

  function refuse(port: Port, away: TurnedAway): false {
    const { subject, reason } = away;
    if (isNews(port.name, away)) write('device.refused', subject, { reason, port: port.name });
    return false;
  }

  function greet(hello: Hello, port: Port, suite: Suite): boolean {
    const { id, session, board, release, state, tier } = hello;
    const at = clock.now();
    if (hello.task !== task.name) {
      store.refusals.note(id, 'wrong-task', at);
      const reason = `it is built for task '${hello.task}', not '${task.name}'`;
      return refuse(port, { subject: id, reason });
    }
    const weak = port.virtual !== true && isWeak(board, suite);
    if (weak && !allowWeakLink) {
      return refuse(port, { subject: id, reason: tooWeak(hello, suite) });
    }
    links.set(id, { suite, weak });
    const version = registry.releaseOf(release)?.version ?? null;
    const known = { id, board, task: hello.task, tier, session, release, version, state, at };
    // with one sync of the disk: many may come at once, when power is back. What is owed stays outside:
    // a transaction that fails would take it along
    store.transaction(() => {
      const { first, restarted } = store.devices.hello(known);
      if (first || restarted) wear.booted(id, board, at);
      if (first) journal.write('device.seen', id, { board, tier, port: port.name }, at);
      else if (restarted && allowed(id)) journal.write('device.restarted', id, { session }, at);
    });
    if (state === CONFIRMED) settle(id, release);
    return true;
  }

  // ── check → store → watch ───────────────────────────────────────────────────────────────────

  async function arrive(
    device: string,
    sample: Sample,
    done: (kept?: boolean) => void,
  ): Promise<void> {
    const before = last.get(device);
    const same = before?.session === sample.session && before.seq < sample.seq ? before : undefined;
    const whole = measured(sample, axes);
    const reason = checkSample(whole, task, same, checkLimits);
    const stored = toRow(whole, asRow, { ...origin(device, sample), quarantine: reason });
    last.set(device, { session: sample.session, seq: sample.seq, t: sample.t });
    try {
      if ((await store.samples.add(stored)) === 'duplicate') return done();
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return done(false); // a full disk: the device keeps the window and sends it again
    }
    done();
    debts.pay();
    for (const reader of readers) reader(stored);
    if (reason !== null) {
      const { session, seq } = sample;
      tell('sample.quarantined', device, { session, seq, reason });
      return sense(device, stored);
    }
    if (stored.window !== null) tellRaw(stored);
    const { release, score } = sample;
    const { cls, at, embedding, window } = stored;
    const isChosen = stored.label !== null;
    const seen = { release, cls, score, at, embedding, window, isChosen };
    const alarm = monitor.window(device, seen);
    if (window === null && monitor.isSick(device) && sample.seq % PROBE === 0) {
      online.get(device)?.ask([sample.seq]);
    }
    memory.window(device);
    const worth = answers.worth({ cls, score });
    unlessFull(() => rollouts.window(device, { release, score: worth }));
    if (alarm !== undefined) raise(device, alarm);
    if (stored.label === null) return;
    labelled(device);
    judged(device, { release, said: cls, truth: stored.label, score, at }, stored);
  }

  function judged(device: string, seen: SeenLabel, sample: Shadowed): void {
    const alarm = monitor.label(device, seen);
    const { release, said, truth } = seen;
    const correct = answers.isRight(said, truth);
    const was = shadow(rollouts.replaced(device, release), sample);
    const before = was !== null && { before: answers.isRight(was, truth) };
    unlessFull(() => rollouts.label(device, { release, correct, ...before }));
    if (alarm !== undefined) raise(device, alarm);
    scheduler.consider(device);
  }

  function labelled(device: string, who?: string): void {
    const have = regimes.labels(device);
    const whose = who !== undefined && { who };
    write('label.added', device, { have, want: task.training.minLabels, ...whose });
  }

  /** A raw window says whether its sensor still measures, however late it comes. */
  function sense(device: string, { window, at }: Pick<NewSample, 'window' | 'at'>): void {
    const alarm = window === null ? undefined : monitor.raw(device, { window, at });
    if (alarm !== undefined) raise(device, alarm);
  }

  function raise(device: string, alarm: Alarm): void {
    // a sick sensor begins no regime: what it gives is no world to learn
    if (alarm.what !== 'sensor') regimes.begin(device, alarm.since);
    else if (alarm.raisedAs !== null) regimes.withdraw(device);
    memory.save(device);
    alarms.raised(alarm);
    for (const seq of newest(device)) online.get(device)?.ask([seq]);
    scheduler.consider(device);
  }

  // ── self-test → confirm: the devices say how it goes ────────────────────────────────────────

  function hear(device: string, { release, code, detail }: Status): void {
    const status = STATUSES[code as keyof typeof STATUSES] ?? String(code);
    if (status === 'selftest-equal' || status === 'selftest-different') {
      tell('device.selftest', device, { release, equal: status === 'selftest-equal', detail });
    }
    if (REFUSED.has(status)) turnedDown(device, { release, code: status, by: 'device', detail });
    wear.heard(device, release, status, clock.now());
    unlessFull(() => rollouts.status(device, { release, code }));
    if (status === 'confirmed') debts.owe(() => settle(device, release));
  }

  /** An update that somebody refuses: told and counted, by its own code. */
  function turnedDown(
    device: string,
    told: { release: number; code: string; by: 'device' | 'gateway'; [more: string]: unknown },
  ): void {
    const at = clock.now();
    const isTold = allowed(device);
    debts.owe(() =>
      store.transaction(() => {
        store.refusals.note(device, told.code, at);
        if (isTold) journal.write('update.refused', device, told, at);
      }),
    );
  }

  /** A release is confirmed: what it promised is the new reference, and an alarm is over. */
  function settle(device: string, release: number): void {
    const version = registry.releaseOf(release)?.version;
    const at = clock.now();
    store.devices.runs(device, release, version ?? null, CONFIRMED, at);
    if (watched.get(device) === release) return;
    watched.set(device, release);
    const evidence = version === undefined ? undefined : reportOf(registry, version)?.evidence;
    const promised = evidence && { accuracy: evidence.candidate, windows: evidence.windows };
    alarms.ended(device, release);
    monitor.installed(device, release, promised ?? null);
    if (!isShort(device)) scheduler.healed(device);
    memory.save(device);
  }

  function note(device: string, { code, a, b }: DeviceEvent): void {
    const text = EVENTS[code as keyof typeof EVENTS] ?? 'unknown';
    tell('device.event', device, { code, a, b, text });
  }

  // ── what the functions above share ──────────────────────────────────────────────────────────

  /** Its model was released below the task's aim, and labels since have not shown otherwise. */
  const isShort = (device: string): boolean =>
    fallsShort(registry, store.devices.get(device)?.version ?? null) &&
    (monitor.accuracy(device).windowed ?? 0) < task.gate.minAccuracy;

  /** Not while its sensor is sick: nothing that it gives is worth a label. */
  const wantsLabels = (device: string): boolean =>
    !monitor.isSick(device) && (monitor.alarmOf(device) !== null || isShort(device));

  function write(kind: EventKind, subject: string, data: Record<string, unknown>): void {
    const at = clock.now();
    debts.owe(() => journal.write(kind, subject, data, at));
  }

  /** Writes what a device has caused: of one that says too much not all of it. */
  function tell(kind: EventKind, device: string, data: Record<string, unknown>): void {
    if (allowed(device)) write(kind, device, data);
  }

  function allowed(device: string): boolean {
    const missed = chatter.allow(device);
    if (missed !== undefined && missed > 0) write('device.noisy', device, { entries: missed });
    return missed !== undefined;
  }

  function origin(device: string, { release }: Sample): Omit<Origin, 'quarantine'> {
    return { device, version: versionOf(release), at: clock.now() };
  }

  /** The version behind a release: once there is one it stays the same. */
  function versionOf(release: number): string | null {
    let version = versions.get(release);
    if (version === undefined) {
      version = registry.releaseOf(release)?.version;
      if (version === undefined) return null;
      if (versions.size >= VERSIONS_KEPT) versions.clear();
      versions.set(release, version);
    }
    return version;
  }

  /** A raw window that was asked for: checked as if it had come at once. */
  async function keep(device: string, sample: Sample): Promise<void> {
    const whole = measured(sample, axes);
    const quarantine = checkSample(whole, task);
    try {
      const row = toRow(whole, asRow, { ...origin(device, sample), quarantine });
      const before = store.samples.get(row);
      await store.samples.add(row);
      if (quarantine === null && before?.window === null) compare(before, row);
      sense(device, { ...row, at: store.samples.get(row)?.at ?? row.at });
      if (quarantine === null) tellRaw(row);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error; // a full disk: the window is asked for again
    }
  }

  /** What the version before says of a labelled window is known once its raw samples are here. */
  function compare({ device, release, cls: said, label }: StoredSample, row: NewSample): void {
    const was = shadow(rollouts.replaced(device, release), row);
    if (was === null || label === null || isModel(label.source)) return;
    const [correct, before] = [said, was].map((one) => answers.isRight(one, label.cls));
    unlessFull(() => rollouts.pair(device, { release, correct, before }));
  }

  function tellRaw({ device, session, seq }: SampleKey): void {
    for (const listener of listeners) listener({ device, session, seq });
  }

  function newest(device: string): number[] {
    const session = last.get(device)?.session;
    return store.samples
      .latest(device, ASKED)
      .filter((sample) => sample.session === session && sample.window === null)
      .map(({ seq }) => seq);
  }

  truths.resume();
  return {
    attach,
    async detach(connection) {
      await connection.close();
      ports.get(connection)?.();
      ports.delete(connection);
    },
    arrive,
    hear,
    truth: truths.add,
    labels: truths,
    asking,
    onRaw(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onWindow(reader) {
      readers.add(reader);
      return () => void readers.delete(reader);
    },
    alarms,
    heal: scheduler.ask,
    schedule: scheduler,
    rollouts,
    wear,
    online,
    linkOf: (device) => links.get(device),
    forget(device) {
      for (const port of ports.keys()) port.forget(device);
      links.delete(device);
      if (online.delete(device)) unlessFull(() => rollouts.offline(device));
    },
    regime: regimes.since,
    wantsLabels,
    wireBytes(release, device) {
      const at = device === undefined ? [...ports.keys()] : [online.get(device)];
      return at.reduce((sum, port) => {
        const wire = port?.stats().wire.get(release);
        return sum + (wire === undefined ? 0 : wire.sent + wire.received);
      }, 0);
    },
    async close() {
      clock.clearTimeout(timer);
      await scheduler.close();
      await Promise.all([...ports.keys()].map((port) => port.close()));
      store.flush();
      await setImmediate(); // what waited for its commit finishes while the store is open
      memory.saveAll();
      store.flush();
      debts.pay();
      unlessFull(() => rollouts.save());
    },
  };
}
