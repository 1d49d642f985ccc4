import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import type { Status } from '../../../gateway/calls.ts';
import { type FakeCalls, fakeCalls, fakeDevice, fakeRollout } from '../api/fake-calls.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  .filter(existsSync)
  .at(0);
const skipped = executablePath === undefined ? ' (skipped: no Chromium)' : '';
/** A folder for screenshots, when somebody wants to look at them. */
const pictures = process.env.WHETSTONE_SCREENSHOTS;

describe.skipIf(skipped !== '')(`the status page${skipped}`, () => {
  let browser: Browser;
  let api: Api;
  let calls: FakeCalls;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });

  afterAll(() => browser.close());

  afterEach(async () => {
    await page.close();
    await api.close();
    expect(problems.splice(0)).toEqual([]);
  });

  async function open(
    change: Partial<Status> = {},
    context: Parameters<Browser['newPage']>[0] = {},
    prepare: (calls: FakeCalls) => void = () => {},
  ) {
    calls = fakeCalls(change);
    prepare(calls);
    api = await serveApi(calls, { port: 0 });
    page = await browser.newPage(context);
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) problems.push(message.text());
    });
    await page.goto(api.url);
  }

  async function picture(name: string) {
    if (pictures === undefined) return;
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  }

  /** Waits until the page follows the live events. */
  const listening = async () => {
    for (let i = 0; i < 500 && calls.listeners() === 0; i++) await page.waitForTimeout(10);
  };
  const text = (selector: string) => page.locator(selector).innerText();
  const state = (name: string) => page.waitForSelector(`body[data-state="${name}"]`);

  const fell = () => {
    const history = Array.from({ length: 40 }, (_, i) => ({
      at: i,
      accuracy: i < 25 ? 0.96 : 0.96 - 0.6 * Math.min(1, (i - 25) / 6),
      score: 40,
    }));
    const message = 'accuracy 0.97 → 0.31 since 20 windows';
    const alarm = { since: 0, message, what: 'accuracy', silencedUntil: null };
    return fakeDevice(3, {
      accuracy: 0.31,
      history,
      alarm,
      scope: 'device:watch-3',
      state: 'trial',
    });
  };
  const story = (fake: FakeCalls) => {
    fake.tell('gateway.started', 'gateway');
    fake.tell('device.wearer', 'watch-3', { wearer: 'Bert' });
    fake.tell('alarm.raised', 'watch-3', { message: 'accuracy 0.97 → 0.31' });
    fake.tell('label.added', 'watch-3', { have: 5, want: 24 });
    fake.tell('rollout.device', 'watch-3', {
      version: 'ab'.repeat(32),
      state: 'trial',
      wireBytes: 414,
    });
    fake.tell('rollout.done', 'r1', { version: 'ab'.repeat(32), scope: 'device:watch-3' });
  };

  it('shows the fleet and says that its motion is synthetic', async () => {
    await open();
    await state('live');
    expect(await text('#sentence')).toBe('4 virtual watches, synthetic motion');
    expect(await page.locator('.card').count()).toBe(4);
    const card = await text('.card[data-id="watch-2"]');
    for (const expected of ['97 %', '3f2a9c41', 'fleet', 'synthetic motion', 'confirmed']) {
      expect(card).toContain(expected);
    }
    expect(await page.locator('.card svg').first().getAttribute('aria-label')).toMatch(
      /^accuracy of watch-1: from 0\.\d\d to 0\.\d\d$/,
    );
  });

  for (const [name, context] of Object.entries({
    'desktop-light': { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
    'desktop-dark': { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
    'phone-dark': { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
    'wall-light': { colorScheme: 'light', viewport: { width: 2560, height: 1440 } },
  } as const)) {
    it(`tells alarm, rollout and events without scrolling sideways on ${name}`, async () => {
      const devices = [
        fakeDevice(1),
        fakeDevice(2),
        fell(),
        fakeDevice(4, { accuracy: null, history: [] }),
      ];
      await open({ devices, rollouts: [fakeRollout()] }, context, story);
      await state('live');
      expect(await text('#alarm')).toContain('watch-3: accuracy 0.97 → 0.31');
      expect(await page.locator('#alarm').getAttribute('aria-live')).toBe('assertive');
      expect(await text('#rollouts')).toContain('watch-3: trial, 414 bytes');
      expect(await text('#events')).toContain('watch-3 changed wearer to Bert (simulated)');
      expect(await page.locator('#events li').first().innerText()).toContain(
        'confirmed everywhere',
      );
      const [wide, shown] = (await page.evaluate(
        'const d = document.documentElement; [d.scrollWidth, d.clientWidth]',
      )) as [number, number];
      expect(wide).toBeLessThanOrEqual(shown);
      await picture(name);
    });
  }

  it('adds what happens while it is open', async () => {
    await open();
    await state('live');
    await page.waitForSelector('#no-events:not([hidden])');
    calls.state.devices = [fakeDevice(1), fell()];
    calls.tell('alarm.raised', 'watch-3', { message: 'accuracy 0.97 → 0.31' });
    await page.waitForSelector('#events li[data-tone="bad"]');
    expect(await text('#events')).toContain('01:02\nALARM watch-3: accuracy 0.97 → 0.31');
    await page.waitForSelector('.card[data-alarm]');
    expect(await page.locator('.card').count()).toBe(2);
  });

  it('counts labels in one row, shows the newest update first and explains its words', async () => {
    const old = fakeRollout({ startedAt: 1, scope: 'fleet' });
    await open({ devices: [fell()], rollouts: [old, fakeRollout()] }, {}, (fake) => {
      for (let have = 7; have <= 9; have++) fake.tell('label.added', 'watch-3', { have, want: 24 });
    });
    await state('live');
    await page.waitForSelector('#events li');
    expect(await text('#events')).toBe('01:02\nlabels 7 … 9/24 for watch-3');
    await listening();
    calls.tell('label.added', 'watch-4', { have: 1, want: 24 });
    calls.tell('label.added', 'watch-3', { have: 10, want: 24 });
    calls.tell('device.restarted', 'watch-1');
    calls.tell('label.added', 'watch-3', { have: 11, want: 24 });
    await page.waitForSelector('#events li:nth-child(4)');
    await page.getByText('labels 7 … 10/24').waitFor();
    await page.locator('#events').getByText('label 11/24').waitFor();
    expect(await page.locator('#events span').allInnerTexts()).toEqual([
      'label 11/24 for watch-3',
      'watch-1 started again',
      'label 1/24 for watch-4',
      'labels 7 … 10/24 for watch-3',
    ]);
    const rollouts = await page.locator('#rollouts li').allInnerTexts();
    expect(rollouts.map((shown) => /for (\S+):/.exec(shown)?.[1])).toEqual([
      'device:watch-3',
      'fleet',
    ]);
    expect(await text('.mark')).toBe('⚠ alarm, update on trial');
    expect(await page.getByText('Margin', { exact: true }).first().getAttribute('title')).toBe(
      'how sure the model is, in logits',
    );
    await page.getByText('What the words mean').click();
    expect(await text('details')).toContain('Whom this model serves');
  });

  it('says what to do when there is nothing yet', async () => {
    await open({ devices: [], sentence: 'no device yet' });
    await state('live');
    expect(await text('#no-devices')).toContain('npm start');
    expect(await page.locator('#no-rollouts').isVisible()).toBe(true);
    expect(await page.locator('#no-events').isVisible()).toBe(true);
    await picture('empty');
  });

  it('shows that it is loading', async () => {
    await open({}, {}, (fake) => {
      fake.status = () => new Promise(() => {});
    });
    await page.waitForSelector('.ghost');
    expect(await text('#sentence')).toContain('Asking the gateway');
    await picture('loading');
  });

  it('says that the gateway is gone and comes back with it', async () => {
    await open();
    await state('live');
    const port = Number(new URL(api.url).port);
    await api.close();
    await state('offline');
    expect(await text('#trouble')).toContain('does not answer');
    expect(await page.locator('.card').count()).toBe(4);
    await picture('offline');
    api = await serveApi(calls, { port });
    await state('live');
    expect(await page.locator('#trouble').isVisible()).toBe(false);
    calls.tell('label.added', 'watch-1', { have: 1, want: 24 });
    await page.getByText('label 1/24').waitFor();
  });

  it('tells what the gateway reports when it fails', async () => {
    await open({}, {}, (fake) => {
      fake.status = async () => {
        throw new Error('the store is gone');
      };
    });
    await state('offline');
    expect(await text('#trouble')).toContain('The gateway reports: the store is gone');
  });

  it('never runs what a device calls itself', async () => {
    const id = '<img src=x onerror=alert(1)>';
    await open({ devices: [fakeDevice(1, { id })] }, {}, (fake) => fake.tell('device.seen', id));
    await state('live');
    expect(await page.locator('img').count()).toBe(0);
    expect(await text('.card h3')).toContain(id);
  });

  it('lets the keyboard reach the events', async () => {
    await open({}, {}, story);
    await state('live');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.tagName')).toBe('SUMMARY');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.id')).toBe('events');
  });
});
