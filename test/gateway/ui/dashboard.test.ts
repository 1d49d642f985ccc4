import { readFileSync } from 'node:fs';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launch, skippedChromium } from '../../support/chromium.ts';
import { findings, openPage, tooWide, uiWorld, type World } from './world.ts';

/*
 * Every page in a real Chromium, against a real gateway with virtual devices on SYNTHETIC motion. The
 * tests tell one story: later ones go on from where earlier ones ended.
 */
const desktop = { viewport: { width: 1280, height: 900 } };
const LOOKS: Record<string, BrowserContextOptions> = {
  'desktop, light': { ...desktop, colorScheme: 'light' },
  'desktop, dark': { ...desktop, colorScheme: 'dark' },
  'phone, dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
  'phone, light': { viewport: { width: 390, height: 844 }, colorScheme: 'light' },
};
/** Labels after which a model has to have come, and how long a busy computer may take to make it. */
const MOST_LABELS = 60;
const LONG = { timeout: 60_000 };
const PAGES = ['fleet', 'device/w2', 'models', 'rollouts', 'label', 'events', 'settings'];

describe.skipIf(skippedChromium !== '')(`the dashboard${skippedChromium}`, () => {
  let browser: Browser;
  let world: World;
  let page: Page;
  let stop: (() => Promise<void>) | undefined;
  let problems: string[] = [];

  beforeAll(async () => {
    [browser, world] = await Promise.all([launch(), uiWorld()]);
    world.wear('w2');
    for (let i = 0; i < 30; i++) await world.step();
  }, 120_000);
  afterEach(async () => {
    await stop?.();
    stop = undefined;
    await page.context().close();
    expect(problems).toEqual([]);
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  async function open(hash: string, options: BrowserContextOptions = desktop, url = world.url) {
    ({ page, problems } = await openPage(browser, url, hash, options));
  }
  const live = () => page.waitForSelector('body[data-link="live"]');
  const text = async (selector: string) =>
    (await page.locator(selector).first().innerText()).replaceAll('\u00a0', ' ');
  const champion = (id: string) =>
    world.gateway.registry.champion('gesture', { kind: 'device', id });
  const said = (kind: string, subject: string) =>
    world.gateway.store.journal.find({ kind: kind as never, subject });

  it('makes labels that are given by key into a promoted model, and says how it goes', async () => {
    stop = world.live();
    await open('#/label?scope=device:w2');
    // noted as it is drawn: labels that wait may start the next training a moment after
    await page.evaluate(`globalThis.confirmed = [];
      new MutationObserver(() => {
        if (document.querySelector('[data-step="everywhere"].past') !== null) {
          confirmed.push(document.querySelector('.consequence').innerText);
        }
      }).observe(document.body, { subtree: true, childList: true, attributes: true });`);
    expect(champion('w2')).toBeUndefined();
    // one label after another, as asked for, until they have made a model; the gate may want more
    let given = 0;
    for (let before = ''; champion('w2') === undefined && given < MOST_LABELS; given++) {
      const next = page.locator(`.label[data-sample]:not([data-sample="${before}"])`);
      await expect
        .poll(async () => (await next.count()) > 0 || champion('w2') !== undefined, LONG)
        .toBe(true);
      if (champion('w2') !== undefined) break;
      before = (await next.getAttribute('data-sample'))!;
      expect(await page.locator('.choices [aria-pressed="true"], .choices :focus').count()).toBe(0);
      const cls = world.gateway.task.classes.indexOf(world.truth(before));
      await page.keyboard.press(String(cls + 1));
      await page
        .getByText(`${given + 1} label`)
        .first()
        .waitFor();
    }
    await expect.poll(() => page.evaluate('confirmed.length'), LONG).toBeGreaterThan(0);
    const chain = (await page.evaluate('confirmed[0]')) as string;
    expect(said('label.added', 'w2').length).toBeGreaterThanOrEqual(given);
    expect(given).toBeGreaterThanOrEqual(12);
    expect(chain).toMatch(
      /Training\s+done: (pre|head|pseudo|layers|whole)\s+Gate\s+passed\s+Canary\s+passed\s+Everywhere\s+confirmed/,
    );
    const [, made] = /See v(\w{8})/.exec(chain)!;
    const confirmed = said('rollout.device', 'w2').filter(({ data }) => data.stage === 'confirmed');
    expect(confirmed.map(({ data }) => String(data.version).slice(0, 8))).toContain(made);
  }, 120_000);

  it('takes a label back, skips, and says what a new class needs', async () => {
    await open('#/label');
    stop = world.live();
    const panel = page.locator('.label[data-sample]');
    await panel.waitFor();
    const first = (await panel.getAttribute('data-sample'))!;
    expect(await text('.guess')).toMatch(
      /The model said (swiperight|swipeleft|upup|waggle|clap2|random)/,
    );
    const drawn = page.locator('.label .plot');
    await page.waitForSelector('.label .plot canvas');
    expect(await drawn.getAttribute('aria-label')).toMatch(
      new RegExp(`^the window ${first}: x from`),
    );
    await page.keyboard.press('s');
    await page.waitForSelector(`.label[data-sample]:not([data-sample="${first}"])`);
    const second = (await panel.getAttribute('data-sample'))!;
    const [, device, session, seq] = /^(.+)\/(\d+):(\d+)$/.exec(second)!;
    const stored = () =>
      world.gateway.store.samples.get({
        device: device!,
        session: Number(session),
        seq: Number(seq),
      });
    await page.keyboard.press('1');
    await page.getByText('1 label given here').waitFor();
    await expect.poll(() => stored()?.label?.cls).toBe(0);
    await page.keyboard.press('u');
    await page.getByText('is withdrawn').waitFor();
    expect(stored()?.label).toBeNull();
    await page.waitForSelector(`.label[data-sample="${second}"]`);
    await page.keyboard.press('n');
    await page.getByText('behind the others in the task file').waitFor();
  });

  it('shows the family with the gate report of each, and gives a model out', async () => {
    await open('#/models');
    await page.waitForSelector('.tree .tree, .tree ul');
    expect(await page.locator('.tree > li > a').count()).toBe(1);
    expect(await text('.tree ul a.model')).toContain('for device:w2');
    await page.locator('.tree ul a.model').first().click();
    await page.waitForSelector('.detail h2');
    const version = champion('w2')!;
    expect(await text('.detail h2')).toBe(`v${version.slice(0, 8)}`);
    const report = await text('.gate');
    for (const part of [
      'released on trial',
      'Worst class',
      'pinned',
      'Each class',
      'Before',
      'Now',
      'Size',
    ]) {
      expect(report).toContain(part);
    }
    expect(await page.locator('.matrix').count()).toBe(2);
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export tflite' }).click();
    const download = await waiting;
    expect(download.suggestedFilename()).toBe(`${version.slice(0, 8)}.tflite`);
    const file = readFileSync((await download.path())!);
    expect(file.subarray(4, 8).toString()).toBe('TFL3');
  });

  it('shows a device: its signal as it comes, how well it does, what happened', async () => {
    await open('#/device/w2');
    await live();
    await page.waitForSelector('.predictions li');
    const newest = await page.locator('.predictions li').first().getAttribute('data-window');
    stop = world.live();
    await page.waitForSelector(`.predictions li:not([data-window="${newest}"]):first-child`);
    await page.waitForSelector('.signal canvas');
    expect(await page.locator('.signal .plot').getAttribute('aria-label')).toMatch(
      /^w2, window \d+:\d+/,
    );
    expect(await text('.share')).toMatch(/Measured\s+\d+ %\s+\d+ to \d+ %, \d+ labels/);
    await page.waitForSelector('.page-device table');
    expect(await text('.page-device')).toContain('neither encrypted nor authenticated');
    await page.getByRole('button', { name: '7 days' }).click();
    await page.waitForSelector('.marks li', { state: 'attached' });
    const marks = (await page.locator('.marks').textContent())!;
    expect(marks).toMatch(/update/);
    expect(marks).toMatch(/alarm/);
    expect(await text('.page-device')).toMatch(/[\d,]+ windows, \d+ labels in this time/);
    expect(page.url()).toContain('range=week');
  });

  it('rolls back from the browser, after asking', async () => {
    const made = champion('w2')!;
    await open('#/rollouts');
    await live();
    const card = page.locator(`.rollout:has-text("v${made.slice(0, 8)}")`).first();
    await card.getByRole('button', { name: 'Roll back' }).click();
    await page.keyboard.press('Escape');
    expect(world.gateway.registry.get(made).stage).toBe('champion');
    await card.getByRole('button', { name: 'Roll back' }).click();
    stop = world.live();
    await page.locator('dialog').getByRole('button', { name: 'Roll back' }).click();
    await page.getByText('is being taken back').waitFor();
    await expect.poll(() => champion('w2'), { timeout: 20_000 }).not.toBe(made);
    await expect
      .poll(() => world.gateway.store.devices.get('w2')?.version, { timeout: 20_000 })
      .not.toBe(made);
  });

  it('promotes from the browser, and stops what is on its way', async () => {
    const made = world.gateway.registry
      .list()
      .find(({ manifest }) => manifest.scope.kind === 'device')!;
    await open(`#/models/${made.version}`);
    await page.getByRole('button', { name: 'Promote' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Promote' }).click();
    await page.getByText('sets out').waitFor();
    await page.locator('.detail .badge').getByText('on canary, rollout').waitFor();
    expect(await page.getByRole('button', { name: 'Promote' }).count()).toBe(0);
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    const card = page.locator('.rollout[data-stage="canary"]');
    await card.getByRole('button', { name: 'Stop' }).click();
    expect(await findings(page)).toEqual([]);
    await page.getByLabel('Why (for the log)').fill('tried it on');
    stop = world.live();
    await page.keyboard.press('Enter');
    await page.getByText('is stopped and taken back').waitFor();
    await expect
      .poll(() => world.gateway.loop.rollouts.list().some(({ stage }) => stage === 'canary'))
      .toBe(false);
    expect(JSON.stringify(world.gateway.store.journal.find({}).slice(-40))).toContain(
      'tried it on',
    );
    await page.waitForSelector('.rollout:is([data-stage="returning"], [data-stage="returned"])');
  });

  it('offers each role what it may do, and nobody anything without a token', async () => {
    const token = async (role: 'viewer' | 'labeller' | 'admin') =>
      (await world.service.call.addToken({ name: `a ${role}`, role })).token;
    await open('#/label', desktop, world.guardedUrl);
    const field = page.getByLabel('Token');
    await field.waitFor();
    expect(await page.locator('#nav a').count()).toBe(0);
    expect(await findings(page)).toEqual([]);
    await field.fill('wt_nonsense');
    await page.keyboard.press('Enter');
    await page.getByText('No such token').waitFor();
    await field.fill(await token('viewer'));
    await page.keyboard.press('Enter');
    await page.getByText('Your role may look, and not label').waitFor();
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(await page.locator('#nav a').allInnerTexts()).toEqual([
      'Fleet',
      'Models',
      'Rollouts',
      'Events',
      'Settings',
    ]);
    for (const [hash, ready] of [
      ['#/models', '.detail h2'],
      ['#/rollouts', '.rollout'],
      ['#/device/w2', '.predictions li'],
      ['#/settings', '.roles'],
    ]) {
      await page.goto(`${world.guardedUrl}/${hash}`);
      await page.waitForSelector(ready!);
      expect(
        await page
          .getByRole('button', { name: /Promote|Roll back|Stop|Silence|Train|Make a token/ })
          .count(),
      ).toBe(0);
    }
    await page.getByRole('button', { name: 'Sign out' }).click();
    await field.fill(await token('labeller'));
    await page.keyboard.press('Enter');
    await page.locator('#nav').getByText('Label').click();
    await page.waitForSelector('.choices button');
  });

  it('lets an admin make and revoke tokens; one that is revoked is signed out', async () => {
    await open('#/settings');
    await page.getByLabel('Name').fill('bench tablet');
    await page.getByLabel('Role').selectOption('operator');
    await page.getByRole('button', { name: 'Make a token' }).click();
    const secret = await text('.secret');
    const other = await openPage(browser, world.guardedUrl, '#/settings', desktop);
    await other.page.getByLabel('Token').fill(secret);
    await other.page.keyboard.press('Enter');
    await other.page.getByText('bench tablet (operator)').waitFor();
    const row = page.locator('tr:has-text("bench tablet")');
    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row.getByText('revoked').waitFor();
    await other.page.getByLabel('Token').waitFor();
    await other.page.context().close();
    expect(other.problems).toEqual([]);
  });

  it('finds events by kind and by word', async () => {
    await open('#/events');
    await page.waitForSelector('.events li');
    await page.getByLabel('Show').selectOption('models');
    const kinds = await page
      .locator('.events li')
      .evaluateAll((all) =>
        all.map((li) => (li as never as { dataset: { kind: string } }).dataset.kind),
      );
    expect(kinds.length).toBeGreaterThan(5);
    expect(kinds.filter((kind) => kind.startsWith('label'))).toEqual([]);
    await page.getByLabel('Find').fill('no such thing');
    await page.getByText('No event is like that').waitFor();
    expect(page.url()).toContain('show=models');
  });

  for (const [name, look] of Object.entries(LOOKS)) {
    it(`has no serious barrier and scrolls nowhere sideways: ${name}`, async () => {
      await open('#/fleet', look);
      await live();
      const found: string[] = [];
      for (const hash of PAGES) {
        await page.evaluate((to) => {
          (globalThis as never as { location: { hash: string } }).location.hash = to;
        }, `#/${hash}`);
        await page.waitForSelector(
          `.page-${hash.split('/')[0]} :is(table, .card, .events, .note.empty)`,
        );
        await expect.poll(() => page.locator('.page .ghost').count()).toBe(0);
        found.push(...(await findings(page)).map((one) => `${hash}: ${one}`));
        if ((await tooWide(page)) > 0) found.push(`${hash}: too wide`);
      }
      expect(found).toEqual([]);
    });
  }

  it('says since when the gateway is lost, goes on by itself, and misses no event', async () => {
    await open('#/events');
    await live();
    await page.waitForSelector('.events li');
    await world.unplug();
    await page.waitForSelector('body[data-link="offline"]');
    expect(await text('#lost')).toMatch(/not reached, since .*Trying again/);
    expect(await page.locator('.events li').count()).toBeGreaterThan(3);
    expect(await findings(page)).toEqual([]);
    await world.service.call.silence({ subject: 'w3', forMs: 60_000 });
    await world.plug();
    await live();
    expect(await page.locator('#lost').isVisible()).toBe(false);
    await page.getByText('alarms of w3 are silenced').waitFor();
    expect(await page.getByText('alarms of w3 are silenced').count()).toBe(1);
  });
});
