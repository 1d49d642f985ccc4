import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Api, serveApi } from '../../gateway/api/server.ts';
import { createService, type Service } from '../../gateway/service.ts';
import { exampleFlows } from '../../node-red-flows/start.ts';
import { launch, skippedChromium } from '../support/chromium.ts';
import { type LoopWorld, loopWorld } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';
import * as n from './node-red.ts';

const rollout = { canaryShare: 0.34, soakWindows: 3, trialWindows: 40 };
const task = quickTask({ rollout, send: { ...quickTask().send, rawOneIn: 1 } });
const people = twoPeople(task, 12, 12);
const ids = ['w1', 'w2', 'w3'];
const examples = globSync('node-red-flows/examples/*.json').map((file) => basename(file, '.json'));

/** Every flow at once, as `npm run node-red` deploys them, on a dashboard that a person uses. */
describe.skipIf(skippedChromium !== '')(`the example flows${skippedChromium}`, () => {
  const ends: (() => void | Promise<void>)[] = [];
  let world: LoopWorld;
  let service: Service;
  let api: Api;
  let red: n.NodeRed;
  let browser: Browser;
  let page: Page;
  let turn = 0;

  beforeAll(async () => {
    const finished = (end: () => void | Promise<void>) => void ends.push(end);
    [red, world, browser] = await Promise.all([
      n.startNodeRed(),
      loopWorld({ task, ids, approval: 'canary', finished }),
      launch(),
    ]);
    service = createService(world.gateway, { sentence: 'three watches', startedAt: 0 });
    api = await serveApi(service.call, { port: 0 });
    ends.push(
      () => service.close(),
      () => api.close(),
      () => red.close(),
      () => browser.close(),
    );
    await world.step();
    await world.learn(people.ann.learn);
    const { rollout: first } = await world.loop.heal({ kind: 'fleet', id: '' });
    await live(() => {
      const { stage } = world.loop.rollouts.get(first!)!;
      if (stage === 'awaiting-approval') world.loop.rollouts.approve(first!, 'the test');
      return stage === 'settled';
    }, people.ann.test);
    for (const { window, length } of people.bob.learn) {
      for (const id of ids) world.device(id).feedWindow(window, length);
      await world.step();
    }
    // the truth comes late, in a file: what each window of Bob was
    const lines = ids.flatMap((id) => {
      const stored = world.store.samples.find({ device: id }).slice(-people.bob.learn.length);
      return stored.map(
        ({ session, seq }, i) =>
          `${id},${session},${seq},${task.classes[people.bob.learn[i]!.cls]}`,
      );
    });
    writeFileSync(join(red.dir, 'truth.csv'), `device,session,seq,class\n${lines.join('\n')}\n`);
    // whatever the time of day: the night's training comes when the test presses its button
    await red.deploy(exampleFlows(api.url).map((node) => ({ ...node, crontab: '' })));
    page = await browser.newPage();
    await page.goto(`${red.url}/dashboard/whetstone`);
    await page.getByText('What was it?').waitFor();
  });
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  async function live(
    until: () => boolean | Promise<boolean>,
    windows = people.bob.learn,
  ): Promise<void> {
    for (let i = 0; i < 600 && !(await until()); i++) {
      const { window, length } = windows[turn++ % windows.length]!;
      for (const id of ids) world.device(id).feedWindow(window, length);
      await world.step();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await until()).toBe(true);
  }
  const ofFlow = (flow: string, node: string): string => `whetstone.${flow}.${node}`;
  const shown = (text: string | RegExp) => page.getByText(text).first().isVisible();

  it.each(examples)('%s speaks to one gateway, and says what it needs', (name) => {
    const file = readFileSync(join('node-red-flows/examples', `${name}.json`), 'utf8');
    const nodes = JSON.parse(file) as { id: string; type: string; url?: string; info?: string }[];
    const gateways = nodes.filter(({ type }) => type === 'whetstone-gateway');
    expect(gateways.map(({ url }) => url)).toEqual(['http://127.0.0.1:7380']);
    const needsDashboard = nodes.some(({ type }) => type.startsWith('ui-'));
    expect(nodes[0]!.info!.includes('@flowfuse/node-red-dashboard')).toBe(needsDashboard);
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(nodes.length);
  });

  it('delayed-truth-from-csv imports the lines of the file', async () => {
    const log = ofFlow('delayed-truth-from-csv', 'log');
    await live(() => red.messages(log).length > 0);
    expect(red.messages(log)[0]).toMatchObject({
      ...{ added: ids.length * people.bob.learn.length, known: 0, refused: [] },
    });
    const labels = await service.call.labels({ limit: 1000 });
    expect(labels.filter(({ source }) => source === 'delayed').length).toBe(
      ids.length * people.bob.learn.length,
    );
  });

  it('labelling-buttons labels the window that is asked about', async () => {
    await live(() => shown(/ says '\w+'\. What was it\?/));
    await page.getByRole('button', { name: 'waggle' }).click();
    const log = ofFlow('labelling-buttons', 'log');
    await live(() => red.messages(log).length > 0);
    const { sample } = red.messages(log)[0];
    const labels = await service.call.labels({ limit: 1000 });
    expect(labels.find((label) => label.sample === sample)).toMatchObject({
      ...{ cls: 'waggle', source: 'person' },
    });
    await live(() => shown(`${sample}: waggle`));
  });

  it('champion-in-a-flow answers as the devices do', async () => {
    const both = ofFlow('champion-in-a-flow', 'both');
    await live(() => red.messages(both).length > 5);
    for (const { device, flow } of red.messages(both)) expect(flow).toBe(device);
    await red.press(ofFlow('champion-in-a-flow', 'made'));
    const [said] = await red.until(ofFlow('champion-in-a-flow', 'said'), 1);
    expect(task.classes).toContain(said.predicted);
  });

  it('retrain-at-night trains, and approve-canary asks a person who says yes', async () => {
    await red.press(ofFlow('retrain-at-night', 'night'));
    await live(() => red.messages(ofFlow('retrain-at-night', 'released')).length > 0);
    const [{ version }] = red.messages(ofFlow('retrain-at-night', 'released'));
    const question = new RegExp(`^Model ${version.slice(0, 8)} for fleet passed on`);
    await live(() => shown(question));
    await page.getByRole('button', { name: 'Yes, all of them' }).click();
    await live(() => world.loop.rollouts.list().at(-1)!.stage === 'settled');
    expect((await service.call.models()).find(({ stage }) => stage === 'champion')?.version).toBe(
      version,
    );
    const decided = ofFlow('approve-canary', 'log');
    await vi.waitFor(() => expect(red.messages(decided)).toHaveLength(1), 10_000);
  });

  it('alarm-to-notification shows an alarm', async () => {
    const stuck = { ...people.bob.learn[0]!, window: new Int8Array(150).fill(9), length: 50 };
    const log = ofFlow('alarm-to-notification', 'log');
    const told = page.locator('.v-snackbar', { hasText: 'sick sensor' }).first();
    await live(() => told.isVisible(), [stuck]);
    await vi.waitFor(() => {
      expect(red.messages(log).join('\n')).toMatch(/^ALARM w\d: sick sensor/m);
    }, 10_000);
    await live(() => page.getByText('last alarm').isVisible());
  });

  it('fails nowhere meanwhile', () => {
    for (const name of examples) expect(red.messages(ofFlow(name, 'failed'))).toEqual([]);
  });

  it('approve-canary tells whoever answers that nothing waits', async () => {
    await page.getByRole('button', { name: 'No, take it back' }).click();
    await live(() => shown('no rollout waits for an answer'));
  });
});
