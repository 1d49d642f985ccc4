import { nextDue } from './due.ts';
import type {
  Attempt,
  BudgetVerdict,
  Reason,
  ScheduleEffect,
  ScheduleInput,
  ScheduleSettings,
  ScheduleState,
  ScopeFacts,
  Wanted,
} from './state.ts';

/** The machine's answer: the state to keep, then what to do. */
export interface Step {
  state: ScheduleState;
  effects: ScheduleEffect[];
}

/**
 * The next state of the schedule. Pure: the state that is given is not changed, and time is in the
 * input.
 *
 * One training runs at a time. A scope stands in the queue once, with every reason that came, and
 * what no longer holds when its turn comes is dropped. A scope that was tried is not tried again
 * before something changed, unless somebody asks. What nobody asked for waits for the budget; what
 * somebody asked for does not.
 *
 * @param state as it was stored
 * @param input what happened
 * @param settings of the task
 * @returns the state to store before any effect is done
 */
export function next(state: ScheduleState, input: ScheduleInput, settings: ScheduleSettings): Step {
  const s: ScheduleState = structuredClone(state);
  const effects: ScheduleEffect[] = [];
  if (input.t === 'facts') {
    const why = reasons(attemptOf(s, input.scope), input.facts, settings);
    if (why.length > 0) queueUp(s, input.scope, why);
  } else if (input.t === 'time') {
    takeTime(s, input.now, input.facts, settings);
  } else if (input.t === 'ask') {
    ask(s, input.scope, input.ticket);
  } else if (input.t === 'look') {
    if (s.running === null) begin(s, input, settings, effects);
    else stopIfHot(s, s.running, input.budget, effects);
  } else if (input.t === 'ended' && s.running !== null) {
    const { saw, stopping: _, ...wanted } = s.running;
    s.running = null;
    if (!input.aborted) s.tried[wanted.scope] = saw;
    else if (wanted.ticket === null) s.queue.splice(handsOf(s), 0, merged(s, wanted));
  } else if (input.t === 'healed' && s.tried[input.scope] !== undefined) {
    s.tried[input.scope].labels = 0;
  } else if (input.t === 'resume') {
    resume(s, input.now, settings);
  }
  return { state: s, effects };
}

/** The last training of a scope, also where it still runs. */
const attemptOf = (s: ScheduleState, scope: string): Attempt | undefined =>
  s.running?.scope === scope ? s.running.saw : s.tried[scope];

/** Why a scope should be trained, time apart. */
function reasons(
  last: Attempt | undefined,
  { wanted, labels, total, regime }: ScopeFacts,
  { minLabels, newLabels }: ScheduleSettings,
): Reason[] {
  // labels of an earlier regime are none of this one's; fewer than before are a new one's as well
  const isSame = last !== undefined && regime <= last.regime && labels >= last.labels;
  const more = labels - (isSame ? last.labels : 0);
  return [
    ...(wanted && more >= minLabels ? (['alarm'] as const) : []),
    ...(newLabels > 0 && total - (last?.total ?? 0) >= newLabels ? (['labels'] as const) : []),
  ];
}

const hasChanged = (last: Attempt | undefined, { total, regime }: ScopeFacts): boolean =>
  last === undefined ? total > 0 : total !== last.total || regime > last.regime;

function queueUp(s: ScheduleState, scope: string, why: readonly Reason[]): void {
  const found = s.queue.find((wanted) => wanted.scope === scope);
  if (found === undefined) s.queue.push({ scope, why: [...why], ticket: null });
  else found.why = union(found.why, why);
}

function takeTime(
  s: ScheduleState,
  now: number,
  facts: Record<string, ScopeFacts>,
  { time }: ScheduleSettings,
): void {
  if (s.dueAt === null || now < s.dueAt) return;
  s.dueAt = nextDue(time, now);
  for (const [scope, of] of Object.entries(facts)) {
    if (hasChanged(attemptOf(s, scope), of)) queueUp(s, scope, ['time']);
  }
}

/** What somebody asks for goes before what nobody asked for, and takes that along. */
function ask(s: ScheduleState, scope: string, ticket: number): void {
  s.queue.splice(handsOf(s), 0, merged(s, { scope, why: ['hand'], ticket }));
}

/** The same scope, taken out of the queue where nobody asked for it, with both reasons. */
function merged(s: ScheduleState, wanted: Wanted): Wanted {
  const at = s.queue.findIndex(({ scope, ticket }) => scope === wanted.scope && ticket === null);
  if (at < 0) return wanted;
  const [other] = s.queue.splice(at, 1);
  return { ...wanted, why: union(wanted.why, other!.why) };
}

const handsOf = (s: ScheduleState): number =>
  s.queue.filter(({ ticket }) => ticket !== null).length;

function begin(
  s: ScheduleState,
  { now, budget, facts }: Extract<ScheduleInput, { t: 'look' }>,
  settings: ScheduleSettings,
  effects: ScheduleEffect[],
): void {
  s.queue = s.queue.flatMap((wanted) => stillWanted(s, wanted, facts[wanted.scope], settings));
  const first = s.queue.find(
    ({ scope, ticket }) => ticket !== null || facts[scope]?.busy === false,
  );
  if (first === undefined) {
    waitForPerson(s, now, facts, effects);
    return;
  }
  if (first.ticket === null && mustWait(s, first.scope, now, budget, settings, effects)) return;
  s.waits = null;
  s.queue = s.queue.filter((wanted) => wanted !== first);
  const { labels, total, regime } = facts[first.scope] ?? { labels: 0, total: 0, regime: 0 };
  s.running = { ...first, saw: { labels, total, regime }, stopping: false };
  effects.push({
    ...{ t: 'start', wanted: first },
    despite: budget.waits.map(({ sentence }) => sentence),
  });
}

/** A reason may be gone by the time of its turn: another model came, or a training by hand. */
function stillWanted(
  s: ScheduleState,
  wanted: Wanted,
  facts: ScopeFacts | undefined,
  settings: ScheduleSettings,
): Wanted[] {
  if (wanted.ticket !== null) return [wanted];
  if (facts === undefined) return [];
  const last = s.tried[wanted.scope];
  const hold = reasons(last, facts, settings);
  if (wanted.why.includes('time') && hasChanged(last, facts)) hold.push('time');
  return hold.length === 0 ? [] : [{ ...wanted, why: hold }];
}

/** What waits for an update that itself waits for a person says so: nothing else would end it. */
function waitForPerson(
  s: ScheduleState,
  now: number,
  facts: Record<string, ScopeFacts>,
  effects: ScheduleEffect[],
): void {
  const held = s.queue.find(({ scope }) => facts[scope]?.approval !== undefined);
  if (held === undefined) {
    s.waits = null;
    return;
  }
  const id = facts[held.scope]!.approval!.slice(0, 8);
  const limits = [`${APPROVAL} ${id}`];
  if (s.waits?.scope === held.scope && s.waits.limits.join() === limits.join()) return;
  const sentence = `waits for: approval of rollout ${id} (npx whetstone rollouts approve ${id}, or stop ${id})`;
  s.waits = { scope: held.scope, since: now, limits, sentence };
  effects.push({ t: 'wait', scope: held.scope, sentence });
}

/** Name of the limit that is a person's yes. */
const APPROVAL = 'approval';

function mustWait(
  s: ScheduleState,
  scope: string,
  now: number,
  { waits }: BudgetVerdict,
  { maxWaitMs }: ScheduleSettings,
  effects: ScheduleEffect[],
): boolean {
  if (waits.length === 0) return false;
  const isByBudget = s.waits !== null && !s.waits.limits[0]!.startsWith(APPROVAL);
  const since = isByBudget ? s.waits!.since : now;
  const isLong = maxWaitMs !== null && now - since >= maxWaitMs;
  if (isLong && waits.every(({ firm }) => !firm)) return false;
  const sentence = `waits: ${waits.map((crossed) => crossed.sentence).join('; ')}`;
  const limits = waits.map(({ limit }) => limit);
  const isNews = s.waits?.scope !== scope || limits.join() !== s.waits.limits.join();
  s.waits = { scope, since, limits, sentence };
  // once for each set of limits: a reading that moves is no news
  if (isNews) effects.push({ t: 'wait', scope, sentence });
  return true;
}

function stopIfHot(
  s: ScheduleState,
  running: NonNullable<ScheduleState['running']>,
  { stops }: BudgetVerdict,
  effects: ScheduleEffect[],
): void {
  if (stops.length === 0 || running.stopping || running.ticket !== null) return;
  s.running = { ...running, stopping: true };
  effects.push({ t: 'stop', scope: running.scope, sentence: `stops: ${stops.join('; ')}` });
}

/** What ran when the gateway ended is the first again; whoever asked has gone with it. */
function resume(s: ScheduleState, now: number, { time }: ScheduleSettings): void {
  s.queue = s.queue.filter(({ ticket }) => ticket === null);
  if (s.running !== null && s.running.ticket === null) {
    const { scope, why } = s.running;
    s.queue.unshift(merged(s, { scope, why, ticket: null }));
  }
  s.running = null;
  s.waits = null;
  if (s.rule === time) return;
  s.rule = time;
  s.dueAt = nextDue(time, now);
}

const union = (a: readonly Reason[], b: readonly Reason[]): Reason[] => [...new Set([...a, ...b])];
