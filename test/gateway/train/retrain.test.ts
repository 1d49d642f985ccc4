import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readRecordings } from '../../../gateway/recordings.ts';
import { loadTask, type Task } from '../../../gateway/task.ts';
import { encodeModel, type QuantModel } from '../../../gateway/train/model.ts';
import { retrain } from '../../../gateway/train/retrain.ts';
import type { RetrainInput } from '../../../gateway/train/retrain-input.ts';
import type { Rung } from '../../../gateway/train/rungs.ts';
import { accuracyOf, said, twoPeople } from '../../support/people.ts';
import { quickTask, rawTask } from '../../support/tasks.ts';

const task = quickTask();
const people = twoPeople(task, 12, 8);
const firstOf = <T extends { cls: number }>(windows: T[], perClass: number): T[] => {
  const seen = task.classes.map(() => 0);
  return windows.filter(({ cls }) => seen[cls]!++ < perClass);
};

/** What a training is given, with the least that may be missing. */
function given(changes: Partial<RetrainInput>): RetrainInput {
  return {
    ...{
      task,
      champion: null,
      championReference: null,
      isUpdated: false,
      championSaid: [],
      regimes: [],
    },
    ...{ mustPass: [], budgets: () => [], seed: 1 },
    ...{
      origins: [],
      memory: [],
      recentByDevice: new Map(),
      lately: new Map(),
      labelled: new Map(),
      isShared: false,
    },
    data: { fresh: [], old: [], recent: [] },
    ...changes,
  };
}

/** Labels that a person gave windows of one watch. */
const byPerson = (n: number) => new Array(n).fill({ device: 'w', source: 'person' });

async function firstModel(of: Task = task): Promise<QuantModel> {
  const fresh = twoPeople(of, 12, 1).ann.learn;
  const { chosen } = await retrain(given({ task: of, data: { fresh, old: [], recent: [] } }));
  return chosen!.model;
}

let champion: QuantModel;
beforeAll(async () => {
  champion = await firstModel();
});

/** Bob's labels against Ann's champion. */
function forBob(perClass: number, changes: Partial<RetrainInput> = {}): RetrainInput {
  const fresh = firstOf(people.bob.learn, perClass);
  return given({
    ...{ champion, championReference: 0.97, championSaid: said(champion, fresh) },
    origins: byPerson(fresh.length),
    data: { fresh, old: [], recent: [] },
    ...changes,
  });
}

const rungs = ({ attempts }: { attempts: { rung: Rung }[] }) => attempts.map(({ rung }) => rung);

describe('retrain() of a first model', () => {
  it('trains the whole net once, cross-validated, and releases it provisionally', async () => {
    const fresh = people.ann.learn;
    const result = await retrain(given({ data: { fresh, old: [], recent: fresh } }));
    expect(rungs(result)).toEqual(['whole']);
    expect(result.chosen?.report).toMatchObject({
      decision: 'provisional',
      evidence: { kind: 'cross-validated', windows: fresh.length, champion: null },
    });
    // no deeper net before the flat one has failed
    expect(result.chosen?.model.layers.length).toBe(task.architecture.layers.length);
  });

  it('tries nothing without a label once there is a champion', async () => {
    const recent = people.bob.test;
    const nothing = await retrain(
      given({ champion, data: { fresh: [], old: people.ann.learn, recent } }),
    );
    expect(nothing).toMatchObject({ attempts: [], chosen: null, audit: { trusted: [] } });
  });

  it('refuses one of labels that say nothing', async () => {
    const fresh = people.ann.learn.map((one, i) => ({ ...one, cls: i % task.classes.length }));
    const result = await retrain(given({ data: { fresh, old: [], recent: [] } }));
    expect(result.chosen).toBeNull();
    expect(result.attempts[0]?.report.reason).toMatch(/^better: first model: .* aim 90\.0 %/);
  });
});

describe('retrain() climbs the ladder', () => {
  it('stops at the first rung that passes and reaches the aim', async () => {
    const tried: Rung[] = [];
    const result = await retrain(forBob(6, { onRung: (rung) => tried.push(rung) }));
    expect(rungs(result)).toEqual(['head']);
    expect(tried).toEqual(['head']);
    expect(result.chosen?.rung).toBe('head');
    expect(result.chosen?.report.reachesAim).toBe(true);
    expect(accuracyOf(result.chosen!.model, people.bob.test)).toBeGreaterThan(0.9);
    // what a frozen normalisation means on the wire: its bytes are the champion's
    expect(result.chosen!.parts.pre).toEqual(encodeModel(champion).pre);
  });

  it('tries the normalisation only when there are recent windows enough', async () => {
    const { fresh } = forBob(6).data;
    const recent = (n: number) =>
      forBob(6, { data: { fresh, old: [], recent: people.bob.test.slice(0, n) } });
    expect(rungs(await retrain(recent(19)))[0]).toBe('head');
    expect(rungs(await retrain(recent(20)))[0]).toBe('pre');
  });

  it('keeps the smallest rung that passed, where no rung reaches the aim', async () => {
    // an aim that none can reach: every rung is tried, and the head stays
    const aimless = { ...task, gate: { ...task.gate, minAccuracy: 1 } };
    const input = forBob(6);
    const noisy = input.data.fresh.map((one, i) =>
      i % 9 === 0 ? { ...one, cls: (one.cls + 1) % 6 } : one,
    );
    const result = await retrain({
      ...input,
      task: aimless,
      data: { ...input.data, fresh: noisy },
    });
    expect(rungs(result)).toEqual(['head', 'layers', 'whole']);
    expect(result.attempts.every(({ report }) => !report.reachesAim)).toBe(true);
    expect(result.attempts[0]?.report.decision).not.toBe('refuse');
    expect(result.chosen?.rung).toBe('head');
  });

  it('goes on where a cheap rung wins against the champion and is still poor', async () => {
    const raw = rawTask(2);
    const before = await firstModel(raw);
    const { learn: fresh, test } = twoPeople(raw, 12, 8).bob;
    const result = await retrain(
      given({
        ...{ task: raw, champion: before, championReference: 0.97 },
        championSaid: said(before, fresh),
        origins: byPerson(fresh.length),
        data: { fresh, old: [], recent: test },
      }),
    );
    const [pre, head] = result.attempts.map(({ rung, report }) => ({ rung, ...report }));
    expect([pre!.rung, pre!.decision, pre!.evidence.midP! < 0.05]).toEqual(['pre', 'refuse', true]);
    expect(pre!.evidence.candidate).toBeGreaterThan(pre!.evidence.champion! + 0.1);
    expect([head!.rung, result.chosen?.rung]).toEqual(['head', 'head']);
  });

  it('goes on trial with a single label a class, against a champion that failed', async () => {
    const one = await retrain(forBob(1));
    expect(one.chosen?.report).toMatchObject({
      decision: 'provisional',
      evidence: { kind: 'resubstituted', windows: 6 },
    });
    // where the champion is right, there is nothing to heal
    const windows = firstOf(people.ann.test, 1);
    const fine = await retrain(
      given({
        ...{ champion, championReference: 0.97, championSaid: windows.map(({ cls }) => cls) },
        origins: byPerson(windows.length),
        data: { fresh: windows, old: [], recent: [] },
      }),
    );
    expect(fine.chosen).toBeNull();
    expect(rungs(fine)).toEqual(['head']); // none can win against a champion without an error
  });

  it('holds the newest out where there are many labels', async () => {
    const fresh = Array.from({ length: 16 }, () => people.ann.learn)
      .flat()
      .slice(0, 240);
    const quick = quickTask();
    const result = await retrain(given({ task: quick, data: { fresh, old: [], recent: [] } }));
    expect(result.chosen?.report.decision).toBe('release');
    expect(result.chosen?.report.evidence.kind).toBe('held-out');
    const judged = task.classes.map((_, k) => {
      const n = fresh.filter(({ cls }) => cls === k).length;
      return n - Math.ceil(n * 0.7);
    });
    expect(result.chosen?.report.evidence.windows).toBe(judged.reduce((a, b) => a + b));
  });
});

describe('retrain() judges by', () => {
  it('windows that the champion was not trained on, alone', async () => {
    const input = forBob(6);
    const half = input.championSaid.map((cls, i) => (i % 2 === 0 ? -1 : cls));
    const { attempts } = await retrain({ ...input, championSaid: half });
    expect(attempts[0]?.report.evidence.windows).toBe(18);
    const none = input.championSaid.map(() => -1);
    const unjudged = await retrain({ ...input, championSaid: none });
    expect(unjudged.chosen).toBeNull();
    expect(unjudged.attempts[0]?.report.reason).toContain('no labelled window to judge by');
  });

  it('earlier regimes: one that forgets Ann is refused for a shared scope', async () => {
    const regimes = [{ name: 'ann', examples: people.ann.test }];
    const alone = await retrain(forBob(6, { regimes, isShared: true }));
    expect(alone.attempts[0]?.report.decision).toBe('refuse');
    expect(alone.attempts[0]?.report.reason).toMatch(/keeps ann: (9\d\.\d|100\.0) % before/);
  });

  it('pinned windows, and the boards’ budgets for exactly these parts', async () => {
    // one window under every name: five of the six are broken, whichever the candidate gives
    const [window] = people.bob.test;
    const pinned = task.classes.map((name, cls) => ({ ...window!, cls, name }));
    const { attempts } = await retrain(forBob(6, { mustPass: pinned }));
    const { total, broken } = attempts[0]!.report.mustPass;
    expect([total, broken.length]).toEqual([6, 5]);
    expect(attempts[0]?.report.decision).toBe('refuse');
    const budgets: RetrainInput['budgets'] = ({ head }) => [
      { board: 'tiny', bytes: head.length, limit: 100 },
    ];
    const small = await retrain(forBob(6, { budgets }));
    expect(small.chosen).toBeNull();
    expect(small.attempts[0]?.report.reason).toMatch(/^budget tiny: \d+ of 100 bytes/);
  });

  it('predictions for every window: fewer are a mistake', async () => {
    const input = forBob(6);
    await expect(retrain({ ...input, championSaid: [0] })).rejects.toThrow(RangeError);
  });
});

describe('retrain() can be repeated and cancelled', () => {
  it('gives equal bytes and reports for equal seeds', async () => {
    const [a, b] = [await retrain(forBob(3)), await retrain(forBob(3))];
    expect(a.chosen!.parts).toEqual(b.chosen!.parts);
    expect(a.chosen!.report).toEqual(b.chosen!.report);
    const c = await retrain(forBob(3, { seed: 2 }));
    expect(c.chosen!.parts.head).not.toEqual(a.chosen!.parts.head);
  });

  it('ends with GatewayError cancelled when a timer raises the signal', async () => {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), 1);
    const tried: Rung[] = [];
    const input = forBob(6, { signal: abort.signal, onRung: (rung) => tried.push(rung) });
    await expect(retrain(input)).rejects.toMatchObject({ code: 'cancelled' });
    clearTimeout(timer);
    expect(tried).toEqual(['head']);
  });
});

describe('retrain() of a shared head on real recordings', () => {
  const data = join(import.meta.dirname, '../../../../shared/data/bangle-gestures');

  it('keeps both James and Conor', async (ctx) => {
    if (!existsSync(data)) ctx.skip('skipped: ../shared/data/bangle-gestures is not there');
    const gesture = loadTask('gesture');
    const { people: wearers } = readRecordings(data, gesture, ['james-v2', 'conor-v2']);
    const [james, conor] = [wearers['james-v2']!, wearers['conor-v2']!];
    const learned = james.filter((_, i) => i % 3 === 0);
    const judging = james.filter((_, i) => i % 3 === 1);
    const untouched = james.filter((_, i) => i % 3 === 2);
    const labelled = firstOf(conor, 10);
    const rest = conor.filter((one) => !labelled.includes(one));
    const first = await retrain(
      given({ task: gesture, data: { fresh: learned, old: [], recent: [] } }),
    );
    const before = first.chosen!.model;
    const { chosen } = await retrain(
      given({
        ...{ task: gesture, champion: before, championReference: 0.97 },
        ...{ championSaid: said(before, labelled), seed: 1, isShared: true },
        origins: byPerson(labelled.length),
        data: { fresh: labelled, old: learned, recent: [] },
        regimes: [{ name: 'james', examples: judging }],
      }),
    );
    expect(accuracyOf(before, rest)).toBeLessThan(0.5);
    expect(accuracyOf(chosen!.model, rest)).toBeGreaterThan(0.9);
    const kept = accuracyOf(chosen!.model, untouched) - accuracyOf(before, untouched);
    expect(kept).toBeGreaterThan(-0.05);
  });
});
