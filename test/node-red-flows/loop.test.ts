import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Api, serveApi } from '../../gateway/api/server.ts';
import { createService, type Service } from '../../gateway/service.ts';
import { type LoopWorld, loopWorld } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';
import * as n from './node-red.ts';

const rollout = { canaryShare: 0.34, soakWindows: 3, trialWindows: 40 };
const task = quickTask({ rollout, send: { ...quickTask().send, rawOneIn: 1 } });
const people = twoPeople(task, 12, 12);
const ids = ['w1', 'w2', 'w3'];

const flow = (url: string): object[] => [
  n.tab,
  n.gatewayAt(url),
  ...[n.whetstone('windows', 'predictions', [['seen']], { signal: true }), n.debug('seen')],
  ...[n.whetstone('alerts', 'alerts', [['events']], { about: 'rollouts' }), n.debug('events')],
  ...[n.inject('say', 'label'), n.debug('labelled'), n.debug('caught'), n.catching('c', 'caught')],
  n.whetstone('label', 'label', [['labelled']], {
    ...{ action: 'add', sample: 'sample', sampleType: 'msg', cls: 'payload', clsType: 'msg' },
  }),
  ...[n.inject('csv', 'import'), n.debug('imported')],
  n.whetstone('import', 'label', [['imported']], {
    ...{ action: 'import', rows: 'payload', rowsType: 'msg', source: 'delayed', sourceType: 'str' },
  }),
  ...[n.inject('wish', 'ask'), n.debug('asked')],
  n.whetstone('ask', 'label', [['asked']], {
    ...{ action: 'ask', count: 'payload', countType: 'msg', scope: 'device:w1', scopeType: 'str' },
  }),
  ...[n.inject('now', 'train'), n.debug('released'), n.debug('nothing')],
  n.whetstone('train', 'train', [['released'], ['nothing']], {
    ...{ scope: 'topic', scopeType: 'msg' },
  }),
  ...[n.inject('answer', 'gate'), n.debug('question'), n.debug('decided')],
  n.whetstone('gate', 'rollout', [['question'], ['decided']], { action: 'gate' }),
  ...[n.inject('undo', 'act'), n.debug('acted')],
  n.whetstone('act', 'rollout', [['acted']], {
    action: 'msg',
    target: 'target',
    targetType: 'msg',
  }),
  ...[n.inject('look', 'infer'), n.debug('inferred')],
  n.whetstone('infer', 'infer', [['inferred']], {
    ...{ by: 'version', whose: 'window.version', whoseType: 'msg', kind: 'window' },
    ...{ input: 'window.signal.values', inputType: 'msg' },
  }),
];

describe('a flow', () => {
  let world: LoopWorld;
  let service: Service;
  let api: Api;
  let red: n.NodeRed;
  const ends: (() => void | Promise<void>)[] = [];
  let turn = 0;

  beforeAll(async () => {
    const finished = (end: () => void | Promise<void>) => void ends.push(end);
    [red, world] = await Promise.all([
      n.startNodeRed(),
      loopWorld({ task, ids, approval: 'canary', finished }),
    ]);
    const fleet = { kind: 'fleet', id: '' } as const;
    service = createService(world.gateway, { sentence: 'three watches', startedAt: 0 });
    api = await serveApi(service.call, { port: 0 });
    ends.push(
      () => service.close(),
      () => api.close(),
      () => red.close(),
    );
    await world.step();
    await world.learn(people.ann.learn);
    const { rollout: first } = await world.loop.heal(fleet);
    await live(() => {
      const { stage } = world.loop.rollouts.get(first!)!;
      if (stage === 'awaiting-approval') world.loop.rollouts.approve(first!, 'the test');
      return stage === 'settled';
    }, people.ann.test);
    await red.deploy(flow(api.url));
    await red.statusIs('windows', 'connected');
  });
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  /** Lets the watches make windows until something is so. */
  async function live(until: () => boolean, windows = people.bob.learn): Promise<void> {
    for (let i = 0; i < 600 && !until(); i++) {
      const { window, length } = windows[turn++ % windows.length]!;
      for (const id of ids) world.device(id).feedWindow(window, length);
      await world.step();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(until()).toBe(true);
  }

  /** Waits until the Catch node was given an error of a node. */
  const caught = (node: string, text: string): Promise<void> =>
    vi.waitFor(() => {
      const errors = red.messages('caught').map(({ error }) => error);
      const mine = errors.filter(({ source }) => source.id === node);
      expect(mine.map(({ message }) => message).join('\n')).toContain(text);
    }, 10_000);

  it('sends every window once, with its samples', async () => {
    const before = world.store.samples.count({ device: 'w2' });
    for (const { window, length } of people.bob.learn) {
      for (const id of ids) world.device(id).feedWindow(window, length);
      await world.step();
    }
    const all = people.bob.learn.length;
    await red.until('seen', all * ids.length);
    const mine = red.messages('seen').filter(({ topic }) => topic === 'w2');
    const stored = world.store.samples.find({ device: 'w2' }).slice(before);
    expect(mine.map(({ sample }) => sample)).toEqual(
      stored.map(({ session, seq }) => `w2/${session}:${seq}`),
    );
    expect(mine.map(({ payload }) => payload)).toEqual(stored.map(({ cls }) => task.classes[cls]));
    expect(mine[0].window.signal.values[0]).toHaveLength(3);
  });

  it('is sent what was stored while the API was away, before what comes then', async () => {
    await api.close();
    await red.statusIs('windows', 'no gateway, trying again');
    const said = red.messages('seen').length;
    const missed = people.bob.test.slice(0, 5);
    await world.feed(missed);
    api = await serveApi(service.call, { port: Number(new URL(api.url).port) });
    await red.statusIs('train', 'connected');
    await world.feed(people.bob.test.slice(5, 7));
    await red.until('seen', said + 7 * ids.length);
    for (const id of ids) {
      const stored = world.store.samples.latest(id, 7).reverse();
      const mine = red
        .messages('seen')
        .slice(said)
        .filter(({ topic }) => topic === id);
      expect(mine.map(({ sample }) => sample)).toEqual(
        stored.map(({ session, seq }) => `${id}/${session}:${seq}`),
      );
    }
  });

  it('infers what the device inferred', async () => {
    const { window, payload } = red.messages('seen')[0];
    await red.inject('look', { window });
    const [{ inferred, payload: said }] = await red.until('inferred', 1);
    expect(said).toBe(payload);
    expect(inferred).toMatchObject({ score: window.score, version: window.version });
    await red.statusIs('infer', `${payload} (${window.version.slice(0, 8)})`);
    await red.inject('look', { window: { ...window, signal: { values: [1, 2] } } });
    await caught('infer', 'the window is not an array of samples, each an array of axes');
  });

  it('tells a Catch node what the gateway refuses', async () => {
    await red.inject('say', { sample: 'w1/1:1', payload: 'upup' });
    await red.inject('say', { sample: red.messages('seen')[0].sample, payload: 'cartwheel' });
    await red.inject('say', { payload: 'upup' });
    for (const text of ['no sample w1/1:1 (', 'cartwheel', '(DEVICE/SESSION:SEQ) is missing']) {
      await caught('label', text);
    }
    const codes = red.messages('caught').map(({ error }) => error.code);
    expect(codes).toEqual(expect.arrayContaining(['not-found', 'not-allowed']));
    await red.statusIs('label', /\(DEVICE|no sample w1|no class/);
  });

  it('asks for the labels that teach most', async () => {
    await red.inject('wish', { payload: 3 });
    await live(() => red.messages('asked').length > 0);
    expect(red.messages('asked')[0].payload).toHaveLength(3);
    await red.statusIs('ask', 'asked for 3 windows');
  });

  it('is told that there is nothing new', async () => {
    await red.inject('now', { topic: 'device:w1' });
    await live(() => red.messages('nothing').length > 0, people.bob.test);
    expect(red.messages('nothing')[0].payload).toMatchObject({ released: false, version: null });
    await red.statusIs('train', 'device:w1: nothing new');
  });

  it('labels windows, by hand and from lines, which ends in a promoted model', async () => {
    const before = (await service.call.models()).find(({ stage }) => stage === 'champion')!;
    const seen = red.messages('seen').slice(0, people.bob.learn.length * ids.length);
    const truths = new Map<string, string>();
    for (const { sample, topic } of seen) {
      const i = [...truths.keys()].filter((key) => key.startsWith(`${topic}/`)).length;
      truths.set(sample, task.classes[people.bob.learn[i]!.cls]!);
    }
    const rows = [...truths].map(([sample, cls]) => ({ sample, class: cls }));
    for (const { sample, class: cls } of rows.filter((_, i) => i % 3 === 0)) {
      await red.inject('say', { sample, payload: cls });
    }
    const byHand = rows.filter((_, i) => i % 3 === 0).length;
    await live(() => red.messages('labelled').length === byHand);
    expect(red.messages('labelled')[0].payload).toMatchObject({ source: 'person' });
    await red.inject('csv', { payload: [...rows, { device: 'w1', class: 'upup' }] });
    await live(() => red.messages('imported').length === 1);
    const [{ payload: done }] = red.messages('imported');
    expect(done).toMatchObject({
      added: rows.length,
      refused: [{ line: rows.length + 1, reason: /neither sample/ }].map(({ line }) => ({
        ...{ line, reason: 'neither sample, nor session and seq, nor time say which window' },
      })),
    });
    await red.inject('now', { topic: 'fleet' });
    await live(() => red.messages('released').length + red.messages('nothing').length > 1);
    expect(red.messages('nothing')).toHaveLength(1);
    const { version } = red.messages('released')[0].payload;
    expect(version).not.toBe(before.version);

    await live(() => red.messages('question').length > 0);
    const [asked] = red.messages('question');
    expect(asked.payload).toMatch(
      /^Model [0-9a-f]{8} for fleet passed on w\d, w\d\. Shall w\d get it, too\?$/,
    );
    expect(asked.model.gate).toBeTypeOf('object');
    await red.statusIs('gate', `${version.slice(0, 8)} waits for an answer`);
    await red.inject('answer', { payload: 'perhaps' });
    await caught('gate', "'perhaps' is neither yes nor no");
    await red.inject('answer', { payload: 'yes' });
    await live(() => red.messages('decided').length > 0);
    await live(() => world.loop.rollouts.get(asked.rollout)!.stage === 'settled');
    const champion = (await service.call.models()).find(({ stage }) => stage === 'champion')!;
    expect(champion.version).toBe(version);
    for (const device of await service.call.devices()) expect(device.version).toBe(version);
    expect(red.messages('question')).toHaveLength(1);
    await vi.waitFor(() => {
      expect(red.messages('events').map(({ topic }) => topic)).toContain('rollout.done');
    }, 10_000);
  });

  it('rolls back, and promotes', async () => {
    const models = await service.call.models();
    const newest = models.find(({ stage }) => stage === 'champion')!;
    await red.inject('undo', { action: 'rollback' });
    await live(() => red.messages('acted').length > 0);
    const { id } = red.messages('acted')[0].payload;
    await live(() => world.loop.rollouts.get(id)!.stage === 'returned');
    for (const device of await service.call.devices()) {
      expect(device.version).toBe(newest.parent);
    }
    await red.inject('undo', { action: 'dance' });
    await caught('act', "msg.action is 'dance': say approve, stop, promote or rollback");

    await red.inject('undo', { action: 'promote', target: newest.version });
    await live(() => red.messages('question').length === 2);
    await red.inject('answer', { payload: false, rollout: red.messages('question')[1].rollout });
    await live(() => red.messages('decided').length === 2);
    const stopped = red.messages('decided')[1].payload.id;
    await live(() => world.loop.rollouts.get(stopped)!.stage === 'returned');
    await red.statusIs('gate', /./);
  });
});
