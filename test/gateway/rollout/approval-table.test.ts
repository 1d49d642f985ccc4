import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { STATUSES } from '../../../device/core/messages.ts';
import {
  APPROVAL_TABLE,
  type ApprovalRow,
  approvalTable,
} from '../../../gateway/rollout/approval-table.ts';
import { next } from '../../../gateway/rollout/machine.ts';
import {
  addWindow,
  type Member,
  nothingSeen,
  type RolloutEffect,
  type RolloutInput,
  type RolloutState,
  rolloutDefaults,
} from '../../../gateway/rollout/state.ts';

const codes = Object.fromEntries(Object.entries(STATUSES).map(([code, name]) => [name, +code]));
const past = Array(50).fill(80).reduce(addWindow, nothingSeen);

function member(changes: Partial<Member>): Member {
  return {
    ...{ stage: 'waiting', canary: false, online: true, at: 0, attempts: 0, reason: '' },
    ...{ previous: 'old', past, during: nothingSeen, after: nothingSeen, ...changes },
  };
}

/** A rollout as it stands in a stage, with what its devices have done by then. */
function standing(name: ApprovalRow['stage']): RolloutState {
  const [stage, alone] = name.split(', ') as [RolloutState['stage'], string | undefined];
  const has = (of: Member['stage'], canary: boolean) => member({ stage: of, canary });
  const canary = has(stage === 'canary' ? 'trial' : 'confirmed', true);
  const others: Record<RolloutState['stage'], Member['stage']> = {
    ...{ canary: 'waiting', 'awaiting-approval': 'waiting', rest: 'trial' },
    ...{ settled: 'confirmed', returning: 'waiting', returned: 'waiting', superseded: 'waiting' },
  };
  const members: Record<string, Member> = { a: canary };
  if (alone === undefined) for (const id of ['b', 'c']) members[id] = has(others[stage], false);
  if (stage === 'returning') canary.stage = 'returning';
  return {
    ...{ id: 'r', task: 'gesture', version: 'new', release: 5, scope: { kind: 'fleet', id: '' } },
    ...{ provisional: false, champion: 'old', stage, why: '', startedAt: 0, endedAt: null },
    settings: { ...rolloutDefaults, soakWindows: 3, approval: 'canary' },
    ...{ back: stage === 'returning' ? { old: 6 } : {}, order: Object.keys(members), members },
  };
}

const at = { now: 1 };
const soaked = (score: number): RolloutInput[] =>
  Array.from({ length: 3 }, () => ({ t: 'window', device: 'a', release: 5, score, ...at }));
const inputs: Record<ApprovalRow['input'], readonly RolloutInput[]> = {
  'the canary soaks, and is as good as before': soaked(80),
  'the canary soaks, and is worse': soaked(10),
  'a yes': [{ t: 'approve', who: 'ann', ...at }],
  'a stop': [{ t: 'stop', who: 'ann', why: 'too early', ...at }],
  'a rollback': [{ t: 'rollback', why: 'by hand', ...at }],
  'windows, labels and time': [
    ...soaked(10),
    { t: 'label', device: 'a', release: 5, correct: false, ...at },
    { t: 'window', device: 'b', release: 1, score: 80, ...at },
    { t: 'tick', now: 1000 * 24 * 3600 * 1000 },
  ],
  'the gateway starts again': [],
  'a device comes into the scope': [
    { t: 'enrol', device: 'd', previous: 'old', ...at },
    { t: 'hello', device: 'd', release: 1, state: 1, ...at },
  ],
  'the canary comes back without it': [{ t: 'hello', device: 'a', release: 1, state: 1, ...at }],
  'the canary fails its self-test': [
    { t: 'hello', device: 'a', release: 1, state: 1, ...at },
    { t: 'status', device: 'a', release: 5, code: codes['selftest-different']!, ...at },
  ],
};

/** Takes inputs as the driver does: stored in between, the way back answered with a release. */
function run(state: RolloutState, todo: RolloutInput[]) {
  const effects: RolloutEffect[] = [];
  for (let input = todo.shift(); input !== undefined; input = todo.shift()) {
    const step = next(JSON.parse(JSON.stringify(state)), input);
    state = JSON.parse(JSON.stringify(step.state));
    effects.push(...step.effects);
    for (const effect of step.effects) {
      if (effect.t !== 'issue') continue;
      todo.unshift({ t: 'issued', version: effect.version, release: 6, ...at });
    }
  }
  return { state, effects };
}

/** What devices were asked to do last, in words. */
function told(effects: readonly RolloutEffect[], ids: readonly string[]): string {
  const words = effects.flatMap((effect) => {
    if (!('device' in effect) || effect.t === 'device' || !ids.includes(effect.device)) return [];
    if (effect.t !== 'offer') return [effect.t];
    return [effect.version === 'old' ? 'offer of the one before' : 'offer'];
  });
  return [...new Set(words)].join(', ') || 'nothing';
}

describe('APPROVAL_TABLE', () => {
  test.each(APPROVAL_TABLE)('in $stage, $input: then $after', (row) => {
    const before = standing(row.stage);
    // what a restart finds: nobody is connected, everybody says hello
    const hellos: RolloutInput[] = before.order.map((device) => {
      const release = before.members[device]!.stage === 'confirmed' ? 5 : 1;
      return { t: 'hello', device, release, state: 1, ...at };
    });
    const isRestart = row.input === 'the gateway starts again';
    if (isRestart) for (const id of before.order) before.members[id]!.online = false;
    const { state, effects } = run(before, isRestart ? hellos : [...inputs[row.input]]);
    expect(state.stage).toBe(row.after);
    // the self-test follows an offer, which is another row's
    const asked = row.input === 'the canary fails its self-test' ? effects.slice(3) : effects;
    expect([told(asked, ['a']), told(asked, ['b', 'c', 'd'])]).toEqual([row.canary, row.others]);
    expect(effects.some(({ t }) => t === 'crown')).toBe(
      row.after === 'settled' && row.input === 'a yes',
    );
    const decided = effects.filter((effect) => effect.t === 'decided');
    const isDecision = row.stage !== row.after && ['a yes', 'a stop'].includes(row.input);
    expect(decided.map(({ who }) => who)).toEqual(isDecision ? ['ann'] : []);
    const isBack = row.after === 'returning' || row.after === 'returned';
    const isRestored = effects.some(({ t }) => t === 'restore');
    expect(isRestored).toBe(isBack && row.stage !== 'returning');
  });

  test('has each case once', () => {
    const cases = APPROVAL_TABLE.map(({ stage, input }) => `${stage}/${input}`);
    expect(new Set(cases).size).toBe(cases.length);
  });

  test('without approval a canary that passed goes on by itself', () => {
    const state = standing('canary');
    state.settings.approval = 'none';
    const done = run(state, soaked(80));
    expect([done.state.stage, told(done.effects, ['b', 'c'])]).toEqual(['rest', 'offer']);
  });

  test('a canary that came back without it soaks again before it is confirmed, and a worse one ends it', () => {
    const again = (score: number) =>
      run(standing('awaiting-approval'), [
        ...inputs['the canary comes back without it'],
        { t: 'status', device: 'a', release: 5, code: codes.trial!, ...at },
        ...soaked(score),
      ]);
    const good = again(80);
    expect([good.state.stage, told(good.effects, ['a'])]).toEqual([
      ...['awaiting-approval', 'offer, confirm'],
    ]);
    const worse = again(10);
    expect([worse.state.stage, told(worse.effects, ['a'])]).toEqual(['returning', 'offer, revert']);
    expect(worse.state.why).toContain('canary a: mean score 10, expected 80');
  });

  test('is in docs/update.md', () => {
    const path = new URL('../../../docs/update.md', import.meta.url);
    const text = readFileSync(path, 'utf8');
    const part = /(<!-- approval: generated[^\n]*-->\n\n)[\s\S]*?(\n\n<!-- end of approval -->)/;
    const written = text.replace(part, (_, head, end) => head + approvalTable() + end);
    if (process.env.UPDATE_DOCS) writeFileSync(path, written);
    else expect(text).toBe(written);
    expect(text).toMatch(part);
  });
});
