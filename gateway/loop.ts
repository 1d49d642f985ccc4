import { setImmediate } from 'node:timers/promises';
import { type Alarms, createAlarms } from './alarms.ts';
import { answersOf } from './answers.ts';
import { type Asking, createAsking } from './asking.ts';
import type { Budget } from './budget/budget.ts';
import { unlessFull } from './full-disk.ts';
import { type Healed, heal } from './heal.ts';
import type { Connection } from './link/connect.ts';
import type { Status } from './link/messages.ts';
import type { Clock } from './link/port.ts';
import { type Arrivals, createArrivals, type Newest } from './loop/arrive.ts';
import { type Attachments, createAttachments } from './loop/attach.ts';
import { deliverTo } from './loop/deliver.ts';
import { createGreeting, type Greeting } from './loop/greet.ts';
import { createHearing } from './loop/hear.ts';
import { createJournalWriter } from './loop/journal-writer.ts';
import { type Needs, needsOf } from './loop/needs.ts';
import { createOnAlarm } from './loop/on-alarm.ts';
import { createRawWindows } from './loop/raw-windows.ts';
import { createRefusedUpdates } from './loop/refused-updates.ts';
import { createSettle } from './loop/settle.ts';
import { createTrials } from './loop/trials.ts';
import { createWatch } from './loop/watch.ts';
import type { Monitor } from './monitor/monitor.ts';
import { createMonitorMemory } from './monitor-memory.ts';
import { createRegimes } from './regimes.ts';
import type { Scope } from './registry/manifest.ts';
import type { Registry } from './registry/registry.ts';
import { createRollouts, type Rollouts } from './rollout/rollouts.ts';
import { factsOf } from './schedule/facts.ts';
import { type AskOptions, createScheduler, type Scheduler } from './schedule/scheduler.ts';
import type { Store } from './store/store.ts';
import type { Task } from './task.ts';
import { createTruths, type Truths } from './truths.ts';
import { createWear, type Wear } from './wear.ts';

/**
 * sense → infer → stream → check → store → watch → retrain → prove → register → roll out →
 * self-test → confirm.
 *
 * A device senses, infers and streams (`device/core/device.ts`). What it says arrives at `attach`
 * (`loop/attach.ts`), once it is greeted (`loop/greet.ts`): `arrive` checks and stores a window
 * (`loop/arrive.ts`) and lets the monitor watch it (`loop/watch.ts`); `truth` adds what it really was
 * (`truths.ts`). An alarm (`loop/on-alarm.ts`) and enough labels make the schedule (`schedule/`)
 * retrain, prove and register a version (`heal.ts`) and roll it out (`rollout/`, `loop/deliver.ts`);
 * the devices test themselves, run it on trial (`loop/hear.ts`), and are confirmed (`loop/settle.ts`).
 */
export interface Loop
  extends Pick<Attachments, 'attach' | 'detach' | 'forget' | 'wireBytes'>,
    Pick<Arrivals, 'arrive' | 'onWindow' | 'onRaw'>,
    Pick<Greeting, 'linkOf'>,
    Pick<Needs, 'wantsLabels'> {
  /** Takes what a device says of its update. */
  hear(device: string, status: Status): void;
  /** Adds what a stored window really was; it may come long after the window. */
  truth: Truths['add'];
  /** Labels in bulk, and taken back. */
  readonly labels: Pick<Truths, 'addRows' | 'withdraw'>;
  readonly asking: Pick<Asking, 'learn' | 'ask' | 'whereabouts'>;
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
  /** When the present regime of a device began, ms since 1970; 0 if it never changed. */
  regime(device: string): number;
  close(): Promise<void>;
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

/** Binds the modules to one loop. @param parts one of each; the store is closed by its owner */
export function createLoop(parts: LoopParts): Loop {
  const { task, store, registry, monitor, clock, automatic, allowWeakLink = false } = parts;
  const { now } = clock;
  const answers = answersOf(task);
  const online = new Map<string, Connection>();
  const newest = new Map<string, Newest>();
  const watched = new Map(
    Object.entries(store.states.load<Record<string, number>>('watched') ?? {}),
  );
  const log = createJournalWriter(store.journal, now);
  const wear = createWear(store);
  const needs = needsOf({ task, store, registry, monitor });
  const { wantsLabels } = needs;
  const raw = createRawWindows({ store, online, newest });
  const regimes = createRegimes(store, task, store.states.load('regimes'));
  const memory = createMonitorMemory({
    ...{ store, monitor, now },
    others: () => ({ watched: Object.fromEntries(watched), regimes: regimes.state() }),
  });
  const alarms = createAlarms({
    ...{ task, store, monitor, clock, write: log.write },
    onOver(device) {
      regimes.withdraw(device);
      memory.save(device);
    },
  });

  // ── retrain → prove → register → roll out ───────────────────────────────────────────────────

  const refused = createRefusedUpdates({ store, log, now });
  const link = deliverTo({ task, store, registry, online, refused });
  const rollouts = createRollouts(store, registry, link, now, answers, parts.approval);
  const scheduler = createScheduler({
    ...{ task, states: store.states, clock, budget: parts.budget, automatic, write: log.write },
    facts: factsOf({ task, store, rollouts, regimes, wantsLabels }),
    train: (scope, options) =>
      heal({ ...parts, rollouts, regime: regimes.since, settle: asking.settle }, scope, options),
  });
  const asking = createAsking({
    ...{ task, store, registry, clock, seed: parts.seed, regime: regimes.since, automatic },
    ...{ online: () => online.keys(), wantsLabels, fetch: raw.ask },
  });

  // ── stream → check → store → watch ──────────────────────────────────────────────────────────

  const trials = createTrials({ task, registry, answers, rollouts });
  const watch = createWatch({
    ...{ task, answers, monitor, memory, rollouts, trials, regimes, scheduler, raw, log },
    onAlarm: createOnAlarm({ regimes, memory, alarms, raw, scheduler }),
  });
  const truths = createTruths({
    ...{ task, store, clock, answers, judged: watch.judged, labelled: watch.labelled },
    wanted: raw.askOf,
  });
  const { arrive, keep, onWindow, onRaw } = createArrivals({
    ...{ task, answers, store, registry, now, newest, log, watch, trials },
  });

  // ── self-test → confirm: the devices say how it goes ────────────────────────────────────────

  const settle = createSettle({
    ...{ registry, monitor, memory, alarms, scheduler, needs, watched },
  });
  const hearing = createHearing({
    ...{ store, registry, now, log, monitor, rollouts, wear, refused, settle },
  });
  const greeting = createGreeting({
    ...{ task, store, registry, now, allowWeakLink, wear, log, settle },
  });
  const attachments = createAttachments({
    ...{ task, store, clock, allowWeakLink, online, greeting, rollouts, log },
    ears: { arrive, keep, ...hearing, gone: asking.gone },
  });
  const { attach, detach, forget, wireBytes } = attachments;

  let timer = clock.setTimeout(tick, TICK_MS);
  function tick(): void {
    log.pay();
    unlessFull(() => rollouts.tick());
    unlessFull(() => asking.tick());
    alarms.tick();
    scheduler.tick();
    timer = clock.setTimeout(tick, TICK_MS);
  }

  truths.resume();
  return {
    ...{ attach, detach, forget, wireBytes, arrive, onWindow, onRaw },
    hear: hearing.status,
    truth: truths.add,
    labels: truths,
    ...{ asking, alarms, rollouts, wear, online, wantsLabels },
    heal: scheduler.ask,
    schedule: scheduler,
    linkOf: greeting.linkOf,
    regime: regimes.since,
    async close() {
      clock.clearTimeout(timer);
      await scheduler.close();
      await attachments.close();
      store.flush();
      await setImmediate(); // what waited for its commit finishes while the store is open
      memory.saveAll();
      store.flush();
      log.pay();
      unlessFull(() => rollouts.save());
    },
  };
}
