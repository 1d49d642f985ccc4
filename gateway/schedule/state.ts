/**
 * Why a scope is trained. alarm: the monitor saw it get worse, or its last update fell short of the
 * task's aim, and there are labels. labels: enough of them came without an alarm. time: the
 * schedule's rule. hand: somebody asked.
 */
export type Reason = 'alarm' | 'labels' | 'time' | 'hand';

/** What is known of a scope when it is thought about. */
export interface ScopeFacts {
  /** one of its devices has an alarm, or a model that is better than the last and not yet good */
  wanted: boolean;
  /** labels of the present regime, of the devices that are wanted */
  labels: number;
  /** labels of any time */
  total: number;
  /** when the present regime began, ms since 1970 */
  regime: number;
  /** one of its devices is in a rollout that has not settled */
  busy: boolean;
  /** id of such a rollout that waits for a person's yes */
  approval?: string;
}

/** What the last training of a scope saw: it is not tried again before something changed. */
export type Attempt = Pick<ScopeFacts, 'labels' | 'total' | 'regime'>;

/** A scope that is to be trained. */
export interface Wanted {
  /** by name: 'fleet', 'cohort:NAME', 'device:ID' */
  scope: string;
  why: Reason[];
  /** number of the call that waits for it; null where nobody asked */
  ticket: number | null;
}

/** The whole state of the schedule: plain JSON. */
export interface ScheduleState {
  /** the rule that `dueAt` was made from */
  rule: string;
  /** when time is a reason again, ms since 1970; null for never */
  dueAt: number | null;
  /** asked by hand first, then in the order in which they came */
  queue: Wanted[];
  /** at most one training at a time; `stopping`: it was told to give way to a limit */
  running: (Wanted & { saw: Attempt; stopping: boolean }) | null;
  /** by scope */
  tried: Record<string, Attempt>;
  /** the limits, or the person's yes, that the first of the queue waits for */
  waits: { scope: string; since: number; limits: string[]; sentence: string } | null;
}

/** A limit of the budget that is crossed. */
export interface Crossed {
  /** which, whatever its reading: 'temperature cpu-thermal' */
  limit: string;
  /** 'cpu-thermal 84 °C, starts below 75 °C' */
  sentence: string;
  /** it does not give way, however long is waited */
  firm: boolean;
}

/** What the budget says of this moment. */
export interface BudgetVerdict {
  /** limits that keep a training from starting */
  waits: Crossed[];
  /** why a training that runs has to stop */
  stops: string[];
}

/** What can happen to the schedule. */
export type ScheduleInput =
  /** a label, an alarm or a release changed what is known of a scope */
  | { t: 'facts'; scope: string; facts: ScopeFacts }
  /** the rule may be due */
  | { t: 'time'; now: number; facts: Record<string, ScopeFacts> }
  | { t: 'ask'; scope: string; ticket: number }
  /** is there something to start, or to stop? with the facts of every scope in the queue */
  | { t: 'look'; now: number; budget: BudgetVerdict; facts: Record<string, ScopeFacts> }
  | { t: 'ended'; aborted: boolean }
  /** a scope runs a model that is good enough: labels are counted anew */
  | { t: 'healed'; scope: string }
  /** the gateway starts again */
  | { t: 'resume'; now: number };

/** What the schedule wants done. */
export type ScheduleEffect =
  /** `despite`: limits that are crossed, and that it is started in spite of */
  | { t: 'start'; wanted: Wanted; despite: string[] }
  | { t: 'wait'; scope: string; sentence: string }
  | { t: 'stop'; scope: string; sentence: string };

/** Settings of the schedule: the task's, and the budget's patience. */
export interface ScheduleSettings {
  /** see `schedule.time` of a task */
  time: string;
  /** see `schedule.newLabels` of a task; 0: never */
  newLabels: number;
  /** see `training.minLabels` of a task */
  minLabels: number;
  /** after this long a limit that is not firm gives way; null: never */
  maxWaitMs: number | null;
}

/** A schedule before anything happened. */
export const idle: ScheduleState = {
  ...{ rule: '', dueAt: null, queue: [], running: null, tried: {}, waits: null },
};
