import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LabelRow } from '../../gateway/calls.ts';
import { type Composed, compose } from '../../gateway/compose.ts';
import { labelService } from '../../gateway/label-service.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import { loadTask, parseTask } from '../../gateway/task.ts';

const base = loadTask('gesture');
const task = parseTask({
  ...base,
  labels: { ...base.labels, trust: { person: 1, delayed: 0.95, 'person:intern': 0.5 } },
});
const key = { device: 'watch-1', session: 7 };
const name = (seq: number) => `watch-1/7:${seq}`;
let gateway: Composed;
let call: ReturnType<typeof labelService>;

async function committed<T>(act: Promise<T>): Promise<T> {
  gateway.store.flush();
  return act;
}

beforeEach(async () => {
  const clock = virtualClock(100_000);
  gateway = compose({ task, directory: ':memory:', clock, automatic: false, seed: 1 });
  const about = { board: 'banglejs2', task: task.name, tier: 'convolve', version: null };
  gateway.store.devices.hello({ id: 'watch-1', ...about, session: 7, release: 1, state: 1, at: 0 });
  // windows 1 to 5 at 10, 20, … 50 s; the device says clap2 to all of them
  for (const seq of [1, 2, 3, 4, 5]) {
    const said = { cls: 4, score: 90, length: 20, embedding: null, window: null, label: null };
    const at = 10_000 * seq;
    const origin = { task: task.name, release: 1, version: null, at, t: at, quarantine: null };
    await committed(gateway.store.samples.add({ ...key, seq, ...origin, ...said }));
  }
  call = labelService(gateway);
});

afterEach(() => gateway.close());

const rows = (...lines: Partial<LabelRow>[]): LabelRow[] =>
  lines.map((line, i) => ({ line: i + 2, device: 'watch-1', session: 7, cls: 'upup', ...line }));
const classes = async () =>
  Object.fromEntries((await call.labels()).map(({ sample, cls }) => [sample, cls]));

describe('importLabels()', () => {
  it('stores the good lines, and says of the others what is wrong', async () => {
    const done = await call.importLabels({
      rows: rows({ seq: 1 }, { seq: 99 }, { seq: 2, cls: 'upupp' }, { seq: 3, source: 'gossip' }),
    });
    expect(done).toMatchObject({ added: 1, known: 0, overruled: [] });
    expect(done.refused.map(({ line }) => line)).toEqual([3, 4, 5]);
    expect(done.refused.map(({ reason }) => reason.split(' (')[0])).toEqual([
      'no window watch-1/7:99',
      "'upupp' is no class of task 'gesture'",
      "nobody said how far labels of 'gossip' are trusted",
    ]);
    expect(await call.labels()).toMatchObject([
      { sample: name(1), cls: 'upup', source: 'delayed', trust: 0.95 },
    ]);
  });

  it('changes nothing when the same lines come again, corrections and withdrawals included', async () => {
    const lines = rows({ seq: 1 }, { seq: 1, cls: 'waggle' }, { seq: 2 });
    expect(await call.importLabels({ rows: lines })).toMatchObject({ added: 3, known: 0 });
    await call.withdrawLabel({ sample: name(2) });
    const before = [1, 2].map((id) => gateway.store.labels.of(id));
    const events = gateway.store.journal.find().length;
    expect(await call.importLabels({ rows: lines })).toMatchObject({ added: 0, known: 3 });
    expect([1, 2].map((id) => gateway.store.labels.of(id))).toEqual(before);
    expect(gateway.store.journal.find()).toHaveLength(events);
    expect(await classes()).toEqual({ [name(1)]: 'waggle' });
  });

  it('adds what is new in a file that grew', async () => {
    const lines = rows({ seq: 1 }, { seq: 2 }, { seq: 1, cls: 'waggle' });
    await call.importLabels({ rows: lines.slice(0, 2) });
    expect(await call.importLabels({ rows: lines })).toMatchObject({ added: 1, known: 2 });
    expect(await classes()).toEqual({ [name(1)]: 'waggle', [name(2)]: 'upup' });
  });

  it('takes the nearest window of a time within the tolerance, and no other', async () => {
    const at = (time: number | string) => ({ session: undefined, time }) as Partial<LabelRow>;
    const lines = rows(
      at(10_400),
      at('1970-01-01T00:00:19.600Z'),
      at(25_000),
      at('20:00'),
      at(1e300),
    ).map(({ session: _, ...row }) => row);
    const done = await call.importLabels({ rows: lines, withinMs: 400 });
    expect(done.added).toBe(2);
    expect(Object.keys(await classes())).toEqual([name(2), name(1)]);
    expect(done.refused.map(({ reason }) => reason.split(' (')[0])).toEqual([
      'no window of watch-1 within 400 ms of 1970-01-01T00:00:25.000Z',
      "'20:00' is no time",
      '1e+300 is no time',
    ]);
    const wide = await call.importLabels({ rows: lines.slice(2, 3), withinMs: 5000 });
    expect(wide.refused[0]?.reason).toContain('two windows of watch-1 are as near');
  });

  it('stores nothing in a dry run and says what would become of the lines', async () => {
    await committed(call.addLabel({ sample: name(1), cls: 'clap2' }));
    const lines = rows({ seq: 1 }, { seq: 2 }, { seq: 99 });
    const looked = await call.importLabels({ rows: lines, dryRun: true });
    expect(looked).toMatchObject({ added: 2, known: 0, overruled: [name(1)] });
    expect(await classes()).toEqual({ [name(1)]: 'clap2' });
    expect(gateway.store.labels.of(1)).toHaveLength(1);
    expect(await call.importLabels({ rows: lines })).toEqual(looked);
  });

  it('credits the monitor once a window, at the time of the window', async () => {
    const seen: unknown[] = [];
    const { label } = gateway.monitor;
    gateway.monitor.label = (device, one) => {
      seen.push([device, one.at, one.said, one.truth]);
      return label(device, one);
    };
    await call.importLabels({ rows: rows({ seq: 3 }, { seq: 1, cls: 'clap2' }) });
    expect(seen).toEqual([
      ['watch-1', 10_000, 4, 4],
      ['watch-1', 30_000, 4, 2],
    ]);
    // the same truth from another source is no second window; a correction is one
    await committed(call.addLabel({ sample: name(3), cls: 'upup' }));
    expect(seen).toHaveLength(2);
    await committed(call.addLabel({ sample: name(3), cls: 'waggle' }));
    expect(seen.slice(2)).toEqual([['watch-1', 30_000, 4, 3]]);
    // and a model's word about a model is no truth
    await committed(call.addLabel({ sample: name(4), cls: 'upup', source: 'teacher:t' }));
    expect(seen).toHaveLength(3);
  });
});

describe('addLabel()', () => {
  it('has the trust of the task for its source, unless it says another', async () => {
    const add = (seq: number, change: object) =>
      committed(call.addLabel({ sample: name(seq), cls: 'upup', ...change }));
    expect((await add(1, {})).trust).toBe(1);
    expect((await add(2, { source: 'person:intern' })).trust).toBe(0.5);
    expect((await add(3, { source: 'person:ann' })).trust).toBe(1);
    expect((await add(4, { trust: 0.25 })).trust).toBe(0.25);
    expect((await add(5, { source: 'must-pass' })).trust).toBe(1);
    await expect(call.addLabel({ sample: name(1), cls: 'upup', source: 'rumour' })).rejects.toThrow(
      "nobody said how far labels of 'rumour' are trusted",
    );
  });

  it('shows what each source says of a window that they contradict one another about', async () => {
    await committed(call.addLabel({ sample: name(1), cls: 'upup', source: 'person:intern' }));
    await committed(call.addLabel({ sample: name(1), cls: 'clap2' }));
    await committed(call.addLabel({ sample: name(2), cls: 'clap2' }));
    const [found, ...others] = await call.labels({ contradicted: true });
    expect(others).toEqual([]);
    expect(found).toMatchObject({ sample: name(1), cls: 'clap2', source: 'person' });
    expect(found?.contradicted.map(({ source, cls, standing }) => [source, cls, standing])).toEqual(
      [
        ['person:intern', 'upup', 'outvoted'],
        ['person', 'clap2', 'counts'],
      ],
    );
    expect(await call.labelSources()).toEqual([
      {
        ...{ source: 'person', trust: 1, windows: 2, compared: 1, overruled: 0 },
        ...{ corrected: 0, withdrawn: 0 },
      },
      {
        ...{ source: 'person:intern', trust: 0.5, windows: 1, compared: 1, overruled: 1 },
        ...{ corrected: 0, withdrawn: 0 },
      },
    ]);
  });
});

describe('withdrawLabel()', () => {
  it('takes one source back, is told in the events, and cannot be done twice', async () => {
    await committed(call.addLabel({ sample: name(1), cls: 'upup', source: 'must-pass' }));
    await committed(call.addLabel({ sample: name(1), cls: 'clap2' }));
    const after = await call.withdrawLabel({ sample: name(1), source: 'must-pass' });
    expect(after).toMatchObject({ cls: 'clap2', source: 'person', contradicted: [] });
    expect(gateway.store.journal.find({ kind: 'label.withdrawn' })).toMatchObject([
      { subject: 'watch-1', data: { sample: name(1), source: 'must-pass', count: 1 } },
    ]);
    const again = call.withdrawLabel({ sample: name(1), source: 'must-pass' });
    await expect(again).rejects.toMatchObject({
      ...{ code: 'not-found', message: `no label of ${name(1)} from 'must-pass' to withdraw` },
    });
  });
});
