import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge } from '../../../gateway/rollout/judge.ts';
import { next } from '../../../gateway/rollout/machine.ts';
import {
  addLabel,
  addWindow,
  type Member,
  nothingSeen,
  type RolloutInput,
  type RolloutState,
  rolloutDefaults,
  type Seen,
  together,
} from '../../../gateway/rollout/state.ts';

const ids = ['a', 'b', 'c'];
const settings = { ...rolloutDefaults, soakWindows: 3 };

function member(changes: Partial<Member> = {}): Member {
  return {
    ...{ stage: 'waiting', canary: false, online: true, at: 0, attempts: 0, reason: '' },
    ...{ previous: 'old', past: nothingSeen, during: nothingSeen, after: nothingSeen },
    ...changes,
  };
}

function start(): RolloutState {
  return {
    ...{ id: 'r', task: 'gesture', version: 'new', release: 5, scope: { kind: 'fleet', id: '' } },
    ...{
      provisional: false,
      champion: 'old',
      stage: 'canary',
      why: '',
      startedAt: 0,
      endedAt: null,
    },
    ...{ settings, back: {}, order: ids },
    members: Object.fromEntries(ids.map((id) => [id, member()])),
  };
}

const device = fc.constantFrom(...ids);
const release = fc.constantFrom(1, 5, 6);
const inputs: fc.Arbitrary<RolloutInput>[] = [
  fc.record({
    t: fc.constant('window' as const),
    device,
    release,
    score: fc.nat(255),
    now: fc.nat(),
  }),
  fc.record({
    t: fc.constant('label' as const),
    device,
    release,
    correct: fc.boolean(),
    now: fc.nat(),
  }),
  fc.record({
    t: fc.constant('status' as const),
    device,
    release,
    code: fc.nat(14),
    now: fc.nat(),
  }),
  fc.record({
    ...{ t: fc.constant('hello' as const), device, release, state: fc.constantFrom(0, 1, 2) },
    now: fc.nat(),
  }),
  fc.record({ t: fc.constant('offline' as const), device, now: fc.nat() }),
  fc.record({ t: fc.constant('tick' as const), now: fc.nat() }),
];
const rollback = fc.constant<RolloutInput>({ t: 'rollback', why: 'by hand', now: 1 });
const story = fc.array(fc.oneof(...inputs, { arbitrary: rollback, weight: 1 }), { maxLength: 80 });

/** Runs a story, answering 'issue' as the driver does, and checks each step. */
function tell(
  inputsOfStory: RolloutInput[],
  check: (before: RolloutState, input: RolloutInput, after: ReturnType<typeof next>) => void,
  begun = start(),
) {
  let state = begun;
  const todo: RolloutInput[] = [{ t: 'begin', now: 0 }, ...inputsOfStory];
  while (todo.length > 0) {
    const input = todo.shift() as RolloutInput;
    const step = next(state, input);
    check(state, input, step);
    for (const effect of step.effects) {
      if (effect.t === 'issue')
        todo.unshift({ t: 'issued', version: effect.version, release: 6, now: 0 });
    }
    state = step.state;
  }
  return state;
}

describe('next()', () => {
  test('leaves the state that it was given alone, and a state is plain JSON', () => {
    fc.assert(
      fc.property(story, (inputsOfStory) => {
        let copy = JSON.stringify(start());
        tell(inputsOfStory, (before, _input, { state }) => {
          expect(JSON.stringify(before)).toBe(copy);
          copy = JSON.stringify(state);
          expect(JSON.parse(copy)).toEqual(state);
        });
      }),
      { numRuns: 100 },
    );
  });

  test('never confirms a device that did not soak, whatever is said', () => {
    fc.assert(
      fc.property(story, (inputsOfStory) => {
        tell(inputsOfStory, (_before, input, { state, effects }) => {
          // a device that has nothing to go back to keeps it until it is given another
          if (input.t === 'status' && input.code === 9) return;
          for (const effect of effects) {
            if (effect.t !== 'confirm' || effect.release !== 5) continue;
            const { after, stage } = state.members[effect.device];
            // A device that says by itself that it is confirmed, and then that it is not.
            if (after.windows < 3) expect(stage).toBe('confirming');
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  test('crowns at most once and restores at most once, and asks nothing new after a rollback', () => {
    fc.assert(
      fc.property(story, (inputsOfStory) => {
        const counts = { crown: 0, restore: 0, issue: 0 };
        tell(inputsOfStory, (before, _input, { effects }) => {
          for (const effect of effects) {
            if (effect.t in counts) counts[effect.t as keyof typeof counts]++;
            if (effect.t === 'offer' && ['returning', 'returned'].includes(before.stage)) {
              expect(effect.version).toBe('old');
            }
          }
        });
        expect(Math.max(...Object.values(counts))).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });

  test('goes to nobody but canaries, and crowns nothing, without the yes that it wants', () => {
    const decision = fc.constantFrom<RolloutInput>(
      { t: 'approve', who: 'ann', now: 1 },
      { t: 'stop', who: 'ann', why: 'x', now: 1 },
    );
    const decided = fc.array(fc.oneof(...inputs, { arbitrary: decision, weight: 1 }), {
      maxLength: 80,
    });
    let waited = 0;
    fc.assert(
      fc.property(decided, (inputsOfStory) => {
        let isApproved = false;
        const begun = { ...start(), settings: { ...settings, approval: 'canary' as const } };
        const after = [80, 81, 82].reduce(addWindow, nothingSeen);
        begun.members.a = member({ stage: 'trial', canary: true, after }); // judged at once
        tell(
          inputsOfStory,
          (before, input, { state, effects }) => {
            if (before.stage === 'awaiting-approval') {
              waited++;
              isApproved ||= input.t === 'approve';
            }
            if (isApproved) return;
            expect(['rest', 'settled']).not.toContain(state.stage);
            expect(effects.some(({ t }) => t === 'crown')).toBe(false);
            for (const effect of effects) {
              if (effect.t !== 'offer' || effect.version === 'old') continue;
              // made-up devices speak of releases that they were never offered: that is their doing
              if ('device' in input && input.device === effect.device) continue;
              const { canary } = state.members[effect.device];
              expect(canary || before.members[effect.device].stage !== 'waiting').toBe(true);
            }
          },
          begun,
        );
      }),
      { numRuns: 300 },
    );
    expect(waited).toBeGreaterThan(0);
  });

  const says = (device: string, code: number): RolloutInput => {
    return { t: 'status', device, release: 5, code, now: 1 };
  };
  const run = (begun: RolloutState, inputsOfStory: RolloutInput[]) =>
    [{ t: 'begin', now: 0 } as const, ...inputsOfStory].reduce((s, i) => next(s, i).state, begun);

  test('takes no device for a canary that ran the version before, and gives it to it with the rest', () => {
    const begun = start();
    begun.members.a = member({ previous: 'new' });
    const asked = run(begun, []);
    expect(ids.map((id) => asked.members[id]?.stage)).toEqual(['waiting', 'offered', 'waiting']);
    const window = { t: 'window', device: 'b', release: 5, score: 80, now: 1 } as const;
    const soaked = run(begun, [says('b', 4), window, window, window]);
    expect(soaked.stage).toBe('rest');
    expect(ids.map((id) => soaked.members[id]?.stage)).toEqual([
      'offered',
      'confirming',
      'offered',
    ]);
    const refused = run(begun, [says('b', 7), says('c', 7)]); // then nobody is left to try it
    expect(ids.map((id) => refused.members[id]?.stage)).toEqual(['offered', 'refused', 'refused']);
    expect(run(refused, [says('a', 5)])).toMatchObject({ stage: 'settled' });
  });

  test('waits for no windows where every device ran the version before', () => {
    const begun = start();
    for (const id of ids) begun.members[id] = member({ previous: 'new' });
    const story = ids.map((id) => says(id, 5));
    expect(run(begun, story)).toMatchObject({ stage: 'settled' });
    const wiped = run(begun, [says('a', 4)]); // it had lost it, and installed it anew
    expect(wiped).toMatchObject({ stage: 'canary', members: { a: { stage: 'trial' } } });
  });

  test('does nothing any more once another rollout took over', () => {
    const { state } = next(start(), { t: 'supersede', now: 9 });
    expect(state).toMatchObject({ stage: 'superseded', endedAt: 9 });
    expect(next(state, { t: 'rollback', why: 'x', now: 10 })).toEqual({ state, effects: [] });
  });

  test('does not offer the version again to a device that lost it after everything was undone', () => {
    const undone = start();
    undone.stage = 'returned';
    undone.members.a = member({ stage: 'confirmed', previous: null });
    const hello = { t: 'hello', device: 'a', release: 1, state: 1, now: 1 } as const;
    const { state, effects } = next(undone, hello);
    expect(state.members.a.stage).toBe('back');
    expect(effects.some((effect) => effect.t === 'offer')).toBe(false);
  });

  test('confirms a device on trial whose other slot is empty, and gives it the version before', () => {
    const undone = start();
    undone.stage = 'returning';
    undone.back = { old: 6 };
    undone.members.a = member({ stage: 'reverting' });
    const says = (code: number) =>
      ({ t: 'status', device: 'a', release: 5, code, now: 1 }) as const;
    const refused = next(undone, says(9));
    expect(refused.effects).toEqual([{ t: 'confirm', device: 'a', release: 5 }]);
    const { state, effects } = next(refused.state, says(5));
    expect(state.members.a.stage).toBe('returning');
    expect(effects).toContainEqual({ t: 'offer', device: 'a', version: 'old', release: 6 });
  });

  test('keeps a device that has nothing to go back to, and says so', () => {
    const begun = start();
    begun.stage = 'settled';
    for (const id of ids) begun.members[id] = member({ stage: 'confirmed', previous: null });
    const { state, effects } = next(begun, { t: 'rollback', why: 'x', now: 1 });
    expect(state.stage).toBe('returned');
    expect(state.members.a.reason).toMatch(/no version before/);
    expect(effects.some((effect) => effect.t === 'offer')).toBe(false);
  });
});

describe('judge()', () => {
  const seen = (windows: number, mean: number, labelled = 0, right = 0): Seen => ({
    ...{ ...nothingSeen, windows, mean, squares: windows * 100, labelled, right },
  });
  const proven = { provisional: false, settings };
  const on = (after: Seen, past: Seen) => member({ stage: 'trial', after, past });

  test('waits for every device to soak', () => {
    const trial = [on(seen(3, 80), nothingSeen), on(seen(2, 80), nothingSeen)];
    expect(judge(trial, [], proven)).toEqual({
      ...{ verdict: 'wait', why: '1 of 2 still soaking' },
    });
  });

  test.each([
    ['good', seen(20, 80, 20, 18), seen(50, 80, 40, 36)],
    ['worse', seen(20, 80, 20, 8), seen(50, 80, 40, 36)],
    ['good', seen(20, 80, 20, 18), seen(50, 80, 40, 10)],
    ['good', seen(20, 10, 20, 18), seen(50, 80, 40, 36)],
    ['worse', seen(20, 30), seen(50, 80)],
    ['good', seen(20, 60), seen(50, 80)],
    ['good', seen(20, 10), nothingSeen],
  ] as const)('says %s of %o after %o', (verdict, after, past) => {
    expect(judge([on(after, past)], [], proven).verdict).toBe(verdict);
  });

  test('asks unchanged devices where there is no past of its own', () => {
    const control = member({ during: seen(50, 80, 40, 38) });
    const trial = on(seen(20, 80, 20, 8), nothingSeen);
    expect(judge([trial], [control], proven).verdict).toBe('worse');
    expect(judge([trial], [], proven).verdict).toBe('good');
  });

  test('excuses labels that fell when those of unchanged devices fell as well', () => {
    const trial = on(seen(20, 80, 20, 8), seen(50, 80, 40, 36));
    const fell = member({ past: seen(50, 80, 40, 36), during: seen(50, 80, 40, 12) });
    expect(judge([trial], [fell], proven).verdict).toBe('good');
  });
});

describe('judge() of the same windows by both versions', () => {
  const settings = { ...rolloutDefaults, soakWindows: 10, minLabels: 5, trialWindows: 60 };
  /** A device after `windows` on trial, of which some were gained and lost against the version before. */
  const pairs = (windows: number, gained: number, lost: number): Member =>
    member({
      stage: 'trial',
      after: { ...nothingSeen, windows, mean: 80, labelled: 12, right: 10, gained, lost },
      past: { ...nothingSeen, windows: 50, mean: 80, labelled: 20, right: 5 },
    });
  const said = (unproven: boolean, device: Member) =>
    judge([device], [], { provisional: true, unproven, settings }).verdict;

  test.each([
    ['good', false, 20, 2, 1],
    ['good', false, 20, 0, 0],
    ['wait', false, 19, 1, 2],
    ['worse', false, 20, 1, 2],
    ['good', true, 10, 2, 1],
    ['wait', true, 19, 0, 0],
    ['worse', true, 20, 0, 0],
    ['worse', true, 20, 1, 2],
  ] as const)(
    'says %s when unproven is %s, after %i windows, %i gained, %i lost',
    (verdict, unproven, windows, gained, lost) => {
      expect(said(unproven, pairs(windows, gained, lost))).toBe(verdict);
    },
  );

  test('an unproven version has to be right in more than half of the labels, for certain', () => {
    const after = (right: number) => ({
      ...nothingSeen,
      windows: 20,
      mean: 80,
      labelled: 10,
      right,
    });
    const of = (right: number) =>
      judge([member({ stage: 'trial', after: { ...after(right), gained: 5 } })], [], {
        ...{ provisional: true, unproven: true, settings },
      }).verdict;
    expect(of(9)).toBe('good'); // P(X >= 9 of 10) is 0.011
    expect(of(8)).toBe('worse'); // P(X >= 8) is 0.055
  });
});

describe('what was seen', () => {
  test('addLabel() counts a pair only where the version before is known to differ', () => {
    const all = [
      [true, undefined],
      [true, false],
      [false, true],
      [true, true],
    ] as const;
    const seen = all.reduce((sum, [is, was]) => addLabel(sum, is, was), nothingSeen);
    expect(seen).toMatchObject({ labelled: 4, right: 3, gained: 1, lost: 1 });
  });

  test('together() equals the whole sequence at once', () => {
    const all = [3, 9, 4, 250, 17, 66];
    const of = (scores: number[]) => scores.reduce(addWindow, nothingSeen);
    const joined = together(of(all.slice(0, 2)), of(all.slice(2)));
    expect(joined.mean).toBeCloseTo(of(all).mean, 9);
    expect(joined.squares).toBeCloseTo(of(all).squares, 6);
    expect(together(nothingSeen, addLabel(nothingSeen, true))).toMatchObject({
      labelled: 1,
      right: 1,
    });
  });
});
