import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { features } from '../../device/core/features.ts';
import type { WindowView } from '../../gateway/calls.ts';
import { type Composed, compose } from '../../gateway/compose.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import { createService, type Service } from '../../gateway/service.ts';
import { loadTask, type Task } from '../../gateway/task.ts';
import { tier } from '../../gateway/train/gateway-tier.ts';
import { type LoopWorld, loopWorld } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask, rawTask } from '../support/tasks.ts';

const rollout = { canaryShare: 1, soakWindows: 3, trialWindows: 40 };
const send = { confidentOneIn: 1, uncertainBelow: 48, rawOneIn: 1 };
const task = quickTask({ rollout, send });
const people = twoPeople(task, 12, 8);
const about = { sentence: 'one watch', startedAt: 0 };

const known = new Map<string, ReturnType<typeof taught>>();

/** The watch of a task, taught once for the file. */
function watchOf(of: Task): ReturnType<typeof taught> {
  const watch = known.get(of.name) ?? taught(of);
  known.set(of.name, watch);
  return watch;
}

/** A watch that runs Ann's model, and everything that it says raw. */
async function taught(of: Task): Promise<{ world: LoopWorld; service: Service; version: string }> {
  const world = await loopWorld({ task: of, ids: ['w1'], finished: afterAll });
  const service = createService(world.gateway, about);
  afterAll(() => service.close());
  await world.step();
  await world.teach(people.ann.learn, people.ann.test);
  return { world, service, version: world.store.devices.get('w1')!.version! };
}

async function every(service: Service, device: string): Promise<WindowView[]> {
  const all: WindowView[] = [];
  for (let before: string | undefined; ; before = all.at(-1)!.id) {
    const page = await service.call.windows(device, { limit: 7, ...(before && { before }) });
    all.push(...page);
    if (page.length < 7) return all;
  }
}

describe.each([task, { ...rawTask(), rollout, send }])('a watch of task $name', (of) => {
  let world: LoopWorld;
  let service: Service;
  let version: string;
  const heard: WindowView[] = [];
  let end: () => void;

  beforeAll(async () => {
    ({ world, service, version } = await watchOf(of));
    end = service.call.onWindow((window) => heard.push(window));
    await world.feed([...people.bob.test.slice(0, 20), ...people.ann.test.slice(0, 10)]);
  });

  it('infer() says of each stored raw window what the device said of it', async () => {
    const windows = (await every(service, 'w1')).filter((one) => one.version === version);
    expect(windows.length).toBeGreaterThan(25);
    for (const { id, predicted, score, confidence } of windows) {
      const { signal } = await service.call.window('w1', id);
      const asked = JSON.parse(
        JSON.stringify({ version: version.slice(0, 8), window: signal?.values }),
      );
      const said = await service.call.infer(asked);
      expect(said).toMatchObject({ version, predicted, score, confidence });
      expect(said.logits).toHaveLength(of.classes.length);
    }
    expect(new Set(windows.map(({ predicted }) => predicted)).size).toBeGreaterThan(2);
  });

  it('infer() says the same of an embedding that the device sent', async () => {
    const samples = world.store.samples.find({ device: 'w1', version, withEmbedding: true });
    expect(samples.length).toBeGreaterThan(25);
    for (const { embedding, cls, score } of samples) {
      const said = await service.call.infer({ version, embedding: [...embedding!] });
      expect([said.predicted, said.score]).toEqual([of.classes[cls], score]);
    }
  });

  it('windows() pages newest first, none twice and none left out', async () => {
    const all = await every(service, 'w1');
    const stored = world.store.samples.find({ device: 'w1', order: 'newest' });
    expect(all.map(({ id }) => id)).toEqual(stored.map((one) => `${one.session}:${one.seq}`));
    const [before] = all;
    expect(await service.call.windows('w1', { before: all.at(-1)!.id })).toEqual([]);
    expect(before).toMatchObject({ device: 'w1', raw: true, label: null, quarantine: null });
  });

  it('onWindow() tells what windows() lists, as it comes, until it is ended', async () => {
    const newest = (await service.call.windows('w1', { limit: 30 })).toReversed();
    expect(heard).toEqual(newest);
    end();
    await world.feed(people.ann.test.slice(0, 1));
    expect(heard).toHaveLength(30);
  });

  it('window() shows a label and why a window was set aside', async () => {
    world.device('w1').feedWindow(new Int8Array(150).fill(9), 50);
    await world.step();
    const [stuck] = await service.call.windows('w1', { limit: 1 });
    expect(stuck).toMatchObject({ quarantine: 'stuck sensor', label: null });
    const labelled = service.call.addLabel({ sample: `w1/${stuck!.id}`, cls: of.classes[1]! });
    world.store.flush();
    await labelled;
    await service.call.release(`w1/${stuck!.id}`);
    const shown = await service.call.window('w1', stuck!.id);
    expect(shown).toMatchObject({ quarantine: null, label: of.classes[1] });
    expect(shown.signal?.values).toEqual(Array(50).fill([9 / 32, 9 / 32, 9 / 32]));
  });

  it('windows() of imported recordings have a label and nothing that a model said', async () => {
    const [recorded] = await service.call.windows('recordings', { limit: 1 });
    expect(recorded).toMatchObject({ predicted: null, score: null, confidence: null });
    expect(of.classes).toContain(recorded?.label);
  });
});

describe('infer()', () => {
  let world: LoopWorld;
  let service: Service;

  beforeAll(async () => {
    ({ world, service } = await watchOf(task));
  });

  it('takes features as the device computes them', async () => {
    for (const { window, length } of people.bob.test.slice(0, 20)) {
      const values = Array.from({ length }, (_, i) =>
        Array.from(window.subarray(3 * i, 3 * i + 3), (count) => count / 32),
      );
      const given = features(2, window, length, 50, 3, tier.dot);
      expect(await service.call.infer({ features: given })).toEqual(
        await service.call.infer({ window: values }),
      );
    }
  });

  it('goes by the champion of a device, a scope, or the fleet', async () => {
    const embedding = Array(50).fill(3);
    const { version } = await service.call.infer({ embedding });
    expect(version).toBe(world.store.devices.get('w1')?.version);
    for (const of of [{ device: 'w1' }, { scope: 'fleet' }, { scope: 'device:w1' }, { version }]) {
      expect((await service.call.infer({ ...of, embedding })).version).toBe(version);
    }
  });

  const window = [[0, 0, 0]];
  it.each([
    [{ device: 'w9', window }, 'not-found', "no device 'w9'", 'whetstone devices'],
    [
      { scope: 'device:w9', window },
      'not-found',
      "no device in scope 'device:w9'",
      'known: fleet, device:w1; see: whetstone devices',
    ],
    [{ scope: 'cohort:left', window }, 'not-found', "'cohort:left'", 'known: fleet, device:w1'],
    [{ scope: 'w1', window }, 'not-allowed', "'w1' is no scope", 'device:ID'],
    [{ version: 'abcd', window }, 'not-found', "begins with 'abcd'", 'whetstone models'],
    [{}, 'bad-window', 'exactly one of window, features and embedding', 'samples × axes'],
    [{ window, embedding: [1] }, 'bad-window', 'exactly one', 'samples × axes'],
    [{ window: [[1, 2]] }, 'bad-window', 'sample 0 of the window has 2', '3 axes (x, y, z) in g'],
    [{ features: [1, 2] }, 'bad-window', 'features has 2 numbers', '50 integers'],
    [
      { embedding: Array(50).fill(0.5) },
      'bad-window',
      'number 0 is 0.5',
      '50 integers from -128 to 127',
    ],
  ])('throws what is wrong and what is expected: %#', async (request, code, message, hint) => {
    const failed = service.call.infer(request);
    const holds = (text: string) => expect.stringContaining(text);
    await expect(failed).rejects.toMatchObject({
      code,
      message: holds(message),
      hint: holds(hint),
    });
  });
});

describe('a gateway without a model', () => {
  it('infer() says that none serves; a value has no confidence', async () => {
    const motor = loadTask('motor-speed');
    const clock = virtualClock(1000);
    const gateway: Composed = compose({
      ...{ task: motor, directory: ':memory:', clock, automatic: false, seed: 1 },
    });
    const service = createService(gateway, about);
    const none = service.call.infer({ embedding: [1] });
    await expect(none).rejects.toMatchObject({
      code: 'not-found',
      message: 'no model serves fleet yet',
    });
    const said = { cls: 0, score: 255, length: 64, embedding: null, window: null, label: null };
    const origin = { task: motor.name, release: 1, version: null, at: 5, t: 5, quarantine: null };
    const added = gateway.store.samples.add({
      device: 'm1',
      session: 7,
      seq: 1,
      ...origin,
      ...said,
    });
    gateway.store.flush();
    await added;
    const [window] = await service.call.windows('m1');
    expect(window).toMatchObject({ predicted: 2520, score: null, confidence: null, raw: false });
    expect((await service.call.window('m1', '7:1')).signal).toBeNull();
    await expect(service.call.window('m1', '7:2')).rejects.toMatchObject({ code: 'not-found' });
    await expect(service.call.windows('m2')).rejects.toMatchObject({ code: 'not-found' });
    service.close();
    await gateway.close();
  });
});
