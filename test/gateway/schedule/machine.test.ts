import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { next } from '../../../gateway/schedule/machine.ts';
import {
  type BudgetVerdict,
  idle,
  type ScheduleEffect,
  type ScheduleInput,
  type ScheduleSettings,
  type ScheduleState,
  type ScopeFacts,
} from '../../../gateway/schedule/state.ts';

const settings: ScheduleSettings = { time: '', newLabels: 0, minLabels: 6, maxWaitMs: 1000 };
const facts = (change: Partial<ScopeFacts> = {}): ScopeFacts => ({
  ...{ wanted: true, labels: 7, total: 9, regime: 50, busy: false },
  ...change,
});
const FREE: BudgetVerdict = { waits: [], stops: [] };
const hot = (celsius: number, firm = false): BudgetVerdict => ({
  waits: [{ limit: 'temperature cpu', sentence: `cpu ${celsius} °C, starts below 75 °C`, firm }],
  stops: firm ? [`cpu ${celsius} °C, at most 90 °C`] : [],
});

/** A schedule that is told things; `known` are the facts of scopes when it looks. */
function schedule(of: Partial<ScheduleSettings> = {}, from: ScheduleState = idle) {
  let state = from;
  const known: Record<string, ScopeFacts> = {};
  const feed = (input: ScheduleInput): ScheduleEffect[] => {
    const step = next(state, input, { ...settings, ...of });
    state = step.state;
    return step.effects;
  };
  return {
    known,
    feed,
    get state() {
      return state;
    },
    hear(scope: string, change: Partial<ScopeFacts> = {}) {
      known[scope] = facts(change);
      return feed({ t: 'facts', scope, facts: known[scope] });
    },
    look: (now = 0, budget = FREE) => feed({ t: 'look', now, budget, facts: known }),
    ask: (scope: string, ticket: number) => feed({ t: 'ask', scope, ticket }),
    end: (aborted = false) => feed({ t: 'ended', aborted }),
  };
}
const started = (effects: ScheduleEffect[]) =>
  effects.map((effect) =>
    effect.t === 'start' ? [effect.wanted.scope, effect.wanted.why] : effect,
  );

describe('next() of a scope whose update waits for a person', () => {
  it('says so once, names the command, and trains once that is decided', () => {
    const s = schedule();
    const approval = '3f2a9c41-aa55';
    s.hear('fleet', { busy: true, approval });
    const [told] = s.look(10);
    expect(told).toMatchObject({
      ...{ t: 'wait', scope: 'fleet' },
      sentence: expect.stringContaining(
        'approval of rollout 3f2a9c41 (npx whetstone rollouts approve 3f2a9c41',
      ),
    });
    expect(s.state.waits).toMatchObject({ scope: 'fleet', since: 10 });
    expect(s.look(20)).toEqual([]);
    s.hear('device:b');
    expect(started(s.look(30))).toEqual([['device:b', ['alarm']]]);
    s.end();
    s.known.fleet = facts();
    expect(started(s.look(40))).toEqual([['fleet', ['alarm']]]);
    expect(s.state.waits).toBeNull();
  });

  it('says nothing of one that goes on by itself, and gives the budget its own patience', () => {
    const s = schedule();
    s.hear('fleet', { busy: true });
    expect([s.look(), s.state.waits]).toEqual([[], null]);
    s.hear('fleet', { busy: true, approval: '3f2a9c41' });
    s.look(0);
    s.known.fleet = facts();
    // it waited for a person for longer than for heat it would have
    expect(s.look(5000, hot(84))).toMatchObject([{ t: 'wait' }]);
    expect(s.state.waits).toMatchObject({ since: 5000 });
  });
});

describe('next() of an alarm', () => {
  it('starts a training when there are enough labels, and not before', () => {
    const s = schedule();
    s.hear('device:a', { labels: 5 });
    expect(s.look()).toEqual([]);
    s.hear('device:a', { labels: 6, wanted: false });
    expect(s.look()).toEqual([]);
    s.hear('device:a', { labels: 6 });
    expect(started(s.look())).toEqual([['device:a', ['alarm']]]);
  });

  it('waits after a refusal for as many labels again, or for another regime', () => {
    const s = schedule();
    s.hear('device:a', { labels: 7 });
    s.look();
    s.end();
    s.hear('device:a', { labels: 12 });
    expect(s.look()).toEqual([]);
    s.hear('device:a', { labels: 13 });
    expect(s.look()).toHaveLength(1);
    s.end();
    s.hear('device:a', { labels: 5, regime: 60 });
    expect(s.look()).toEqual([]);
    s.hear('device:a', { labels: 6, regime: 60 });
    expect(s.look()).toHaveLength(1);
  });

  it('counts labels anew once a good model runs', () => {
    const s = schedule();
    s.hear('device:a', { labels: 7 });
    s.look();
    s.end();
    s.feed({ t: 'healed', scope: 'device:a' });
    s.hear('device:a', { labels: 7 });
    expect(s.look()).toHaveLength(1);
  });

  it('does not queue what the running training has seen', () => {
    const s = schedule();
    s.hear('device:a', { labels: 7 });
    s.look();
    s.hear('device:a', { labels: 12 });
    expect(s.state.queue).toEqual([]);
    s.hear('device:a', { labels: 13 });
    expect(s.state.queue).toHaveLength(1);
    s.end();
    expect(started(s.look())).toEqual([['device:a', ['alarm']]]);
  });

  it('is dropped where it is over before its turn', () => {
    const s = schedule();
    s.hear('device:a');
    s.hear('device:b');
    s.known['device:a'] = facts({ wanted: false });
    expect(started(s.look())).toEqual([['device:b', ['alarm']]]);
    expect(s.state.queue).toEqual([]);
  });

  it('lets others go first while its devices are in a rollout', () => {
    const s = schedule();
    s.hear('device:a', { busy: true });
    s.hear('device:b');
    expect(started(s.look())).toEqual([['device:b', ['alarm']]]);
    s.end();
    expect(s.look()).toEqual([]);
    s.known['device:a'] = facts();
    expect(started(s.look())).toEqual([['device:a', ['alarm']]]);
  });
});

describe('next() of labels and time', () => {
  it('trains without an alarm on enough new labels of any time', () => {
    const s = schedule({ newLabels: 20 });
    s.hear('fleet', { wanted: false, total: 19 });
    expect(s.look()).toEqual([]);
    s.hear('fleet', { wanted: false, total: 20 });
    expect(started(s.look())).toEqual([['fleet', ['labels']]]);
    s.end();
    s.hear('fleet', { wanted: false, total: 39 });
    expect(s.look()).toEqual([]);
    s.hear('fleet', { wanted: false, total: 40 });
    expect(s.look()).toHaveLength(1);
  });

  it('trains on time what has changed, and nothing else', () => {
    const s = schedule({ time: 'every 24h' });
    const day = 86_400_000;
    s.feed({ t: 'resume', now: 5 });
    expect(s.state.dueAt).toBe(day + 5);
    s.known['device:a'] = facts({ wanted: false });
    s.known['device:b'] = facts({ wanted: false, total: 0 });
    const time = (now: number) => s.feed({ t: 'time', now, facts: s.known });
    time(day + 4);
    expect(s.state.queue).toEqual([]);
    time(3 * day);
    expect(s.state.dueAt).toBe(4 * day);
    expect(started(s.look(3 * day))).toEqual([['device:a', ['time']]]);
    s.end();
    time(4 * day);
    expect(s.state.queue).toEqual([]);
    s.known['device:a'] = facts({ wanted: false, total: 10 });
    time(5 * day);
    expect(started(s.look(5 * day))).toEqual([['device:a', ['time']]]);
  });

  it('merges the reasons of one scope into one training', () => {
    const s = schedule({ newLabels: 9, time: 'every 1d' });
    s.feed({ t: 'resume', now: 0 });
    s.known['device:a'] = facts();
    s.feed({ t: 'time', now: 86_400_000, facts: s.known });
    s.hear('device:a');
    expect(started(s.look())).toEqual([['device:a', ['alarm', 'labels', 'time']]]);
    expect(s.state.queue).toEqual([]);
  });
});

describe('next() of what somebody asks for', () => {
  it('goes before the rest, in order, and takes the same scope along', () => {
    const s = schedule();
    s.hear('device:a');
    s.hear('device:b');
    s.ask('device:b', 1);
    s.ask('device:c', 2);
    expect(started(s.look())).toEqual([['device:b', ['hand', 'alarm']]]);
    expect(s.look()).toEqual([]);
    s.end();
    expect(started(s.look())).toEqual([['device:c', ['hand']]]);
    s.end();
    expect(started(s.look())).toEqual([['device:a', ['alarm']]]);
  });

  it('does not wait for the budget, says so, and is not stopped by it', () => {
    const s = schedule();
    s.ask('fleet', 1);
    expect(s.look(0, hot(95, true))).toEqual([
      {
        ...{ t: 'start', wanted: { scope: 'fleet', why: ['hand'], ticket: 1 } },
        despite: ['cpu 95 °C, starts below 75 °C'],
      },
    ]);
    expect(s.look(1, hot(99, true))).toEqual([]);
  });

  it('is tried again at once, though nothing changed', () => {
    const s = schedule();
    s.known.fleet = facts();
    for (const ticket of [1, 2]) {
      s.ask('fleet', ticket);
      expect(s.look()).toHaveLength(1);
      s.end();
    }
  });
});

describe('next() with a budget', () => {
  it('says once what it waits for, and starts when there is room', () => {
    const s = schedule();
    s.hear('device:a');
    const sentence = 'waits: cpu 84 °C, starts below 75 °C';
    expect(s.look(10, hot(84))).toEqual([{ t: 'wait', scope: 'device:a', sentence }]);
    expect(s.state.waits).toMatchObject({ scope: 'device:a', since: 10, sentence });
    expect(s.look(20, hot(82))).toEqual([]);
    expect(s.state.waits?.sentence).toContain('82 °C');
    expect(started(s.look(30))).toEqual([['device:a', ['alarm']]]);
    expect(s.state.waits).toBeNull();
  });

  it('gives way after the longest wait, unless a limit is firm', () => {
    const s = schedule();
    s.hear('device:a');
    s.look(10, hot(84));
    expect(s.look(1009, hot(84))).toEqual([]);
    expect(s.look(1010, hot(91, true))).toEqual([]);
    const [effect] = s.look(1010, hot(84));
    expect(effect).toMatchObject({ t: 'start', despite: ['cpu 84 °C, starts below 75 °C'] });
  });

  it('waits without end where there is no longest wait', () => {
    const s = schedule({ maxWaitMs: null });
    s.hear('device:a');
    s.look(0, hot(84));
    expect(s.look(1e15, hot(84))).toEqual([]);
  });

  it('stops a training once, and has it first again when it ended', () => {
    const s = schedule();
    s.hear('device:a');
    s.look();
    s.hear('device:b');
    expect(s.look(5, hot(85))).toEqual([]);
    expect(s.look(5, hot(95, true))).toEqual([
      { t: 'stop', scope: 'device:a', sentence: 'stops: cpu 95 °C, at most 90 °C' },
    ]);
    expect(s.look(6, hot(96, true))).toEqual([]);
    s.end(true);
    expect(s.state.queue.map(({ scope }) => scope)).toEqual(['device:a', 'device:b']);
    expect(started(s.look(9))).toEqual([['device:a', ['alarm']]]);
  });
});

describe('next() after a restart', () => {
  it('has what ran as the first again, and forgets who asked', () => {
    const s = schedule();
    s.hear('device:a');
    s.look();
    s.hear('device:b');
    s.ask('fleet', 3);
    const again = schedule({}, JSON.parse(JSON.stringify(s.state)));
    again.feed({ t: 'resume', now: 9 });
    expect(again.state.running).toBeNull();
    expect(again.state.queue.map(({ scope }) => scope)).toEqual(['device:a', 'device:b']);
  });

  it('keeps the hour that was set, and takes a new rule', () => {
    const s = schedule({ time: 'every 24h' });
    s.feed({ t: 'resume', now: 1000 });
    s.feed({ t: 'resume', now: 5000 });
    expect(s.state.dueAt).toBe(86_401_000);
    const other = schedule({ time: 'every 1h' }, s.state);
    other.feed({ t: 'resume', now: 5000 });
    expect(other.state.dueAt).toBe(3_605_000);
  });
});

describe('next() of anything', () => {
  const scope = fc.constantFrom('fleet', 'device:a', 'device:b');
  const some = fc.record({
    ...{ wanted: fc.boolean(), labels: fc.nat(30), total: fc.nat(30) },
    ...{ regime: fc.nat(3), busy: fc.boolean() },
  });
  const all = fc.record({ fleet: some, 'device:a': some, 'device:b': some });
  const now = fc.nat(5000);
  const budget = fc.constantFrom(FREE, hot(84), hot(95, true));
  const input = fc.oneof(
    fc.record({ t: fc.constant('facts' as const), scope, facts: some }),
    fc.record({ t: fc.constant('time' as const), now, facts: all }),
    fc.record({ t: fc.constant('ask' as const), scope, ticket: fc.nat(99) }),
    fc.record({ t: fc.constant('look' as const), now, budget, facts: all }),
    fc.record({ t: fc.constant('ended' as const), aborted: fc.boolean() }),
    fc.record({ t: fc.constant('healed' as const), scope }),
    fc.record({ t: fc.constant('resume' as const), now }),
  );

  it('never runs two trainings, queues no scope twice, and changes nothing it is given', () => {
    const rules = { ...settings, time: 'every 1m', newLabels: 11 };
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (inputs) => {
        let state = idle;
        let isRunning = false;
        for (const one of inputs) {
          const before = JSON.stringify(state);
          const step = next(state, one, rules);
          expect(JSON.stringify(state)).toBe(before);
          expect(JSON.parse(JSON.stringify(step.state))).toEqual(step.state);
          const starts = step.effects.filter(({ t }) => t === 'start').length;
          if (one.t === 'ended' || one.t === 'resume') isRunning = false;
          expect(starts).toBeLessThanOrEqual(isRunning ? 0 : 1);
          isRunning ||= starts === 1;
          expect(step.state.running !== null).toBe(isRunning);
          const own = step.state.queue.filter(({ ticket }) => ticket === null);
          expect(new Set(own.map((wanted) => wanted.scope)).size).toBe(own.length);
          state = step.state;
        }
      }),
    );
  });
});
