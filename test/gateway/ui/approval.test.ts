import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launch, skippedChromium } from '../../support/chromium.ts';
import { findings, openPage, uiWorld, type World } from './world.ts';

/*
 * A person's yes, and a person's stop, in a real Chromium against a real gateway whose canaries wait for
 * it. Each test brings an update of its own to the fleet: the same parts under another name.
 */
const desktop = { viewport: { width: 1280, height: 900 } };
const LONG = { timeout: 60_000 };

describe.skipIf(skippedChromium !== '')(`approval in the dashboard${skippedChromium}`, () => {
  let browser: Browser;
  let world: World;
  let stop: (() => Promise<void>) | undefined;
  const opened: { page: Page; problems: string[] }[] = [];
  let copies = 0;

  beforeAll(async () => {
    [browser, world] = await Promise.all([launch(), uiWorld({}, 'canary')]);
  }, 240_000);
  afterEach(async () => {
    await stop?.();
    stop = undefined;
    for (const { page, problems } of opened.splice(0)) {
      await page.context().close();
      expect(problems).toEqual([]);
    }
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  const stage = (id: string) => world.gateway.loop.rollouts.get(id)!.stage;
  const running = () =>
    new Set(world.gateway.store.devices.list().map(({ version }) => version as string));
  const decided = (id: string) =>
    world.gateway.store.journal
      .find({ subject: id })
      .filter(({ kind }) => kind === 'rollout.approved' || kind === 'rollout.stopped')
      .map(({ kind, data }) => [kind, data.who]);

  /** An update of the fleet whose canary has passed. */
  async function waiting(): Promise<{ id: string; version: string; before: string }> {
    const { registry, task, loop } = world.gateway;
    const before = registry.champion(task.name, { kind: 'fleet', id: '' })!;
    const { golden, taskHash, lineage, budgets } = registry.get(before).manifest;
    const version = registry.register(
      registry.parts(before),
      {
        ...{ task: task.name, taskHash, golden, budgets, parent: before },
        ...{ scope: { kind: 'fleet', id: '' }, lineage: { ...lineage, seed: 1000 + copies++ } },
      },
      null,
    );
    const id = loop.rollouts.start(version, { who: 'the test', why: 'a copy' });
    expect(await world.until(() => stage(id) === 'awaiting-approval')).toBe(true);
    return { id, version, before };
  }

  async function open(hash: string, url = world.url): Promise<Page> {
    const one = await openPage(browser, url, hash, desktop);
    opened.push(one);
    return one.page;
  }
  const live = (page: Page) => page.waitForSelector('body[data-link="live"]');
  const sign = (page: Page) => page.locator('.page-fleet .sign');

  it('shows a sign on the fleet page that names the command, and a yes there brings it to the rest', async () => {
    const { id, version } = await waiting();
    expect(running().size).toBe(2);
    const page = await open('#/fleet');
    await live(page);
    const text = await sign(page).innerText();
    expect(text).toContain(`v${version.slice(0, 8)} for fleet`);
    expect(text).toContain(`npx whetstone rollouts approve ${id.slice(0, 8)}`);
    expect(text).toContain("dashboard's page Rollouts");
    expect(await findings(page)).toEqual([]);
    // nothing goes on while nobody says so
    for (let i = 0; i < 5; i++) await world.step();
    expect(stage(id)).toBe('awaiting-approval');
    await sign(page).getByRole('button', { name: 'Approve' }).click();
    await page.getByText('goes to the rest').waitFor();
    await expect.poll(() => sign(page).count()).toBe(0);
    stop = world.live();
    await expect.poll(() => stage(id), LONG).toBe('settled');
    expect(running()).toEqual(new Set([version]));
    expect(decided(id)).toEqual([['rollout.approved', 'person']]);
  }, 120_000);

  it('says so to who approves it a second time, on another page', async () => {
    const { id } = await waiting();
    const [first, second] = [await open('#/rollouts'), await open('#/rollouts')];
    await Promise.all([live(first), live(second)]);
    const approve = (page: Page) =>
      page.locator(`.rollout[data-id="${id}"]`).getByRole('button', { name: 'Approve' });
    await approve(second).waitFor();
    // the second one has not seen that it was approved
    await second.route('**/api/status', (route) => route.abort());
    await approve(first).click();
    await first.getByText('goes to the rest').waitFor();
    await approve(second).click();
    await second.getByText('waits for no approval any more: it goes out already').waitFor();
    expect(decided(id)).toHaveLength(1);
    stop = world.live();
    await expect.poll(() => stage(id), LONG).toBe('settled');
  }, 120_000);

  it('takes everything back after a stop, with its reason in the log', async () => {
    const { id, version, before } = await waiting();
    const page = await open('#/fleet');
    await live(page);
    await sign(page).getByRole('button', { name: 'Stop and take back' }).click();
    await page.getByLabel('Why (for the log)').fill('the nurse said no');
    await page.keyboard.press('Enter');
    await page.getByText('is stopped and taken back').waitFor();
    stop = world.live();
    await expect.poll(() => stage(id), LONG).toBe('returned');
    expect(running()).toEqual(new Set([before]));
    expect(world.gateway.registry.get(version).stage).toBe('rolledback');
    expect(world.gateway.loop.rollouts.get(id)!.why).toContain('the nurse said no');
  }, 120_000);

  it.each(['approve first', 'stop first'])(
    'ends taken back where a yes and a stop race: %s',
    async (first) => {
      const { id, before } = await waiting();
      const [yes, no] = [await open('#/fleet'), await open('#/fleet')];
      await Promise.all([live(yes), live(no)]);
      await sign(no).getByRole('button', { name: 'Stop and take back' }).click();
      const press = [
        () => sign(yes).getByRole('button', { name: 'Approve' }).click(),
        () => no.locator('dialog').getByRole('button', { name: 'Stop and take back' }).click(),
      ];
      if (first === 'stop first') press.reverse();
      await Promise.all(press.map((one) => one()));
      await expect.poll(() => stage(id)).toMatch(/^return/);
      stop = world.live();
      await expect.poll(() => stage(id), LONG).toBe('returned');
      expect(running()).toEqual(new Set([before]));
      const kinds = decided(id).map(([kind]) => kind);
      expect(kinds.at(-1)).toBe('rollout.stopped');
      expect(kinds.filter((kind) => kind === 'rollout.stopped')).toHaveLength(1);
    },
    120_000,
  );

  it('lets a viewer see that it waits, and neither approve nor stop it', async () => {
    const { id } = await waiting();
    const { token } = await world.service.call.addToken({ name: 'passer-by', role: 'viewer' });
    const page = await open('#/fleet', world.guardedUrl);
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await live(page);
    await sign(page).waitFor();
    expect(await sign(page).innerText()).toContain('an operator has to say yes or stop it');
    expect(await sign(page).getByRole('button').count()).toBe(0);
    for (const deed of ['approve', 'stop']) {
      const status = await page.evaluate(
        ([path]) =>
          fetch(path!, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: '{}',
          }).then((answer) => answer.status),
        [`/api/rollouts/${id}/${deed}`],
      );
      expect(status).toBe(403);
    }
    expect([stage(id), decided(id)]).toEqual(['awaiting-approval', []]);
    await page.goto(`${world.guardedUrl}/#/rollouts`);
    await page.locator(`.rollout[data-id="${id}"]`).waitFor();
    expect(await page.getByRole('button', { name: /Approve|Stop/ }).count()).toBe(0);
    expect(await findings(page)).toEqual([]);
  }, 120_000);
});
