import type { Budget } from '../budget/budget.ts';
import { GatewayError } from '../errors.ts';
import type { Healed, HealOptions } from '../heal.ts';
import type { Clock } from '../link/port.ts';
import { parseScope, type Scope, scopeName } from '../registry/manifest.ts';
import type { EventKind } from '../store/event-kinds.ts';
import type { States } from '../store/states.ts';
import type { Task } from '../task.ts';
import type { Facts } from './facts.ts';
import { next } from './machine.ts';
import {
  type BudgetVerdict,
  idle,
  type ScheduleInput,
  type ScheduleSettings,
  type ScheduleState,
  type ScopeFacts,
  type Wanted,
} from './state.ts';

/** Decides when which scope is trained, and has it trained. */
export interface Scheduler {
  /** Something about a device changed: a label, an alarm, a release. */
  consider(device: string): void;
  /** A device runs a model that is good enough: its labels are counted anew. */
  healed(device: string): void;
  /**
   * Trains a scope because somebody asks: next, and whatever the budget says.
   *
   * @throws GatewayError 'cancelled' if the gateway closes before its turn
   */
  ask(scope: Scope, options?: AskOptions): Promise<Healed>;
  /** To be called now and then: time may be due, and a budget that was crossed may not be any more. */
  tick(): void;
  /** What runs, what is to come and what it waits for. */
  state(): ScheduleState;
  /** Ends what nobody asked for: it is the first again at the next start. Waits for what was asked. */
  close(): Promise<void>;
}

export interface AskOptions extends HealOptions {
  /** told when its turn comes: limits of the budget that are crossed all the same */
  onStart?: (despite: string[]) => void;
}

export interface SchedulerParts {
  task: Task;
  states: States;
  clock: Clock;
  facts: Facts;
  /** limits of this machine; without them there is nothing to wait for */
  budget: Budget | undefined;
  /** trains by itself; else only when asked */
  automatic: boolean;
  train: (scope: Scope, options: HealOptions) => Promise<Healed>;
  write: (kind: EventKind, subject: string, data: Record<string, unknown>) => void;
}

/** Somebody who waits for a training. */
interface Call {
  options: AskOptions;
  resolve: (healed: Healed) => void;
  reject: (error: unknown) => void;
}

const FREE: BudgetVerdict = { waits: [], stops: [] };

/** Takes up what was to be trained when the gateway ended. */
export function createScheduler(parts: SchedulerParts): Scheduler {
  const { task, states, clock, facts, budget, automatic, train, write } = parts;
  const settings: ScheduleSettings = {
    ...{ time: task.schedule.time, newLabels: task.schedule.newLabels },
    ...{ minLabels: task.training.minLabels, maxWaitMs: budget?.maxWaitMs ?? null },
  };
  const calls = new Map<number, Call>();
  let tickets = 0;
  let stored = JSON.stringify(states.load('schedule') ?? idle);
  let state: ScheduleState = JSON.parse(stored);
  let training: { abort: AbortController; ended: Promise<void> } | undefined;
  let isClosing = false;
  step({ t: 'resume', now: clock.now() });

  function step(input: ScheduleInput): void {
    const { state: after, effects } = next(state, input, settings);
    state = after;
    save();
    for (const effect of effects) {
      if (effect.t === 'start') start(effect.wanted, effect.despite);
      else {
        const { scope, sentence } = effect;
        write('train.waiting', scope, { scope, reason: sentence });
        if (effect.t === 'stop') training?.abort.abort(sentence);
      }
    }
  }

  function save(): void {
    const text = JSON.stringify(state);
    if (text === stored) return;
    stored = text;
    states.save('schedule', state).catch(() => {
      stored = ''; // a full disk: the next step tries again
    });
  }

  /** Starts what may start; the budget is only read where there is something to decide. */
  function look(): void {
    const isIdle = state.queue.length === 0 && state.running === null && state.waits === null;
    if (isClosing || isIdle) return;
    const now = clock.now();
    const names = state.queue.map(({ scope }) => scope);
    step({ t: 'look', now, budget: budget?.look(now) ?? FREE, facts: known(names) });
  }

  const known = (names: readonly string[]): Record<string, ScopeFacts> =>
    Object.fromEntries(names.map((name) => [name, facts.of(parseScope(name))]));

  function start({ scope, why, ticket }: Wanted, despite: string[]): void {
    const call = ticket === null ? undefined : calls.get(ticket);
    if (ticket !== null) calls.delete(ticket);
    const abort = new AbortController();
    const reason = [why.join(', '), ...despite.map((limit) => `although ${limit}`)].join(', ');
    call?.options.onStart?.(despite);
    const options = { reason, ...(call?.options ?? { signal: abort.signal }) };
    const ended = Promise.resolve()
      .then(() => train(parseScope(scope), options))
      .then(
        (healed) => {
          call?.resolve(healed);
          return false;
        },
        (error: unknown) => {
          const { aborted } = abort.signal;
          if (call !== undefined) call.reject(error);
          else if (!aborted) write('train.failed', scope, { reason: lineOf(error) });
          return aborted;
        },
      )
      .then((aborted) => {
        training = undefined;
        step({ t: 'ended', aborted });
        look();
      });
    training = { abort, ended };
  }

  return {
    consider(device) {
      if (!automatic) return;
      const scope = facts.scopeOf(device);
      step({ t: 'facts', scope: scopeName(scope), facts: facts.of(scope) });
      look();
    },
    healed(device) {
      step({ t: 'healed', scope: scopeName(facts.scopeOf(device)) });
    },
    ask(scope, options = {}) {
      if (isClosing) return Promise.reject(closed());
      return new Promise((resolve, reject) => {
        calls.set(++tickets, { options, resolve, reject });
        step({ t: 'ask', scope: scopeName(scope), ticket: tickets });
        look();
      });
    },
    tick() {
      const now = clock.now();
      if (automatic && state.dueAt !== null && now >= state.dueAt) {
        step({ t: 'time', now, facts: known(facts.scopes().map(scopeName)) });
      }
      look();
    },
    state: () => state,
    async close() {
      isClosing = true;
      for (const call of calls.values()) call.reject(closed());
      calls.clear();
      if (state.running?.ticket === null) training?.abort.abort('the gateway closes');
      await training?.ended;
    },
  };
}

const closed = (): GatewayError =>
  new GatewayError('cancelled', 'the training was cancelled: the gateway closes');

const lineOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
