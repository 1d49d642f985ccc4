import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import type { DeviceView } from '../../../gateway/calls.ts';
import { GatewayError } from '../../../gateway/errors.ts';
import { launch, skippedChromium } from '../../support/chromium.ts';
import { type FakeCalls, fakeCalls } from '../api/fake-calls.ts';
import { fakeDevice, fakeRollout } from '../api/fake-views.ts';
import { findings, openPage, tooWide } from './world.ts';

/*
 * What the pages show where a real gateway is seldom: none of anything, a thousand devices, one that
 * does not answer or fails. The gateway behind the real API only remembers.
 */
describe.skipIf(skippedChromium !== '')(`the dashboard's states${skippedChromium}`, () => {
  let browser: Browser;
  let api: Api;
  let calls: FakeCalls;
  let page: Page;
  let problems: string[] = [];

  beforeAll(async () => {
    browser = await launch();
  });
  afterEach(async () => {
    await page.context().close();
    await api.close();
    expect(problems).toEqual([]);
  });
  afterAll(() => browser.close());

  async function open(
    hash: string,
    change: Partial<FakeCalls['state']> = {},
    prepare: (calls: FakeCalls) => void = () => {},
    options: BrowserContextOptions = { viewport: { width: 1280, height: 900 } },
  ) {
    calls = fakeCalls(change);
    prepare(calls);
    api = await serveApi(calls, { port: 0 });
    ({ page, problems } = await openPage(browser, api.url, hash, options));
  }
  const live = () => page.waitForSelector('body[data-link="live"]');
  const text = async (selector: string) =>
    (await page.locator(selector).first().innerText()).replaceAll('\u00a0', ' ');
  const ids = (selector: string) => page.locator(selector).allInnerTexts();
  const alarmed = (n: number, change: Partial<DeviceView> = {}) =>
    fakeDevice(n, {
      accuracy: 0.31,
      alarm: { since: 0, message: 'accuracy 0.97 → 0.31', what: 'accuracy', silencedUntil: null },
      ...change,
    });

  it('draws a young device over its own time, not at the edge of an hour', async () => {
    const asked: number[] = [];
    await open('#/device/watch-1', { devices: [fakeDevice(1)] }, (fake) => {
      fake.history = async ({ from = 0 } = {}) => {
        asked.push(from);
        const points = Array.from({ length: 60 }, (_, i) => ({
          ...{ at: from + i * 60_000, windows: i < 55 ? 0 : 3, labels: i < 55 ? 0 : 1 },
          ...{ accuracy: i < 55 ? null : 1, estimated: null, score: null, drift: null },
        }));
        return { points, marks: [] };
      };
    });
    await expect.poll(() => asked.length).toBeGreaterThan(1);
    expect(asked[1]! - asked[0]!).toBe(55 * 60_000);
  });

  it('says of a simulated device too young for an accuracy what it lacks', async () => {
    await open('#/fleet', { devices: [fakeDevice(1, { accuracy: null })] });
    await live();
    expect(await text('tbody tr')).toMatch(/–\s+too few gestures\s+97 %/);
  });

  it('says on every page that there is nothing, and what to do', async () => {
    await open('#/fleet', { devices: [] }, (fake) => {
      fake.models = async () => [];
      fake.askLabels = async () => ({
        ...{ asked: [], candidates: 0, outOfReach: 0 },
        missing: 'no window of fleet has come yet; ask again in a minute',
      });
    });
    for (const [hash, what, how] of [
      ['#/fleet', 'No device has said hello yet', 'npm start'],
      ['#/rollouts', 'No update yet', 'canary first'],
      ['#/models', 'No model yet', 'import'],
      ['#/events', 'Nothing happened yet', 'start of the gateway'],
      ['#/label', 'No window waits for a label', 'No window of fleet has come yet; ask again'],
      ['#/device/nobody', 'knows no such device', 'See those'],
      ['#/device', 'No device is named', 'See those'],
      ['#/nonsense', 'No such page', 'To the fleet'],
      ['#/toString', 'No such page', 'To the fleet'],
    ]) {
      await page.goto(`${api.url}/${hash}`);
      await page.getByText(what!).first().waitFor();
      expect(await text('#page')).toContain(how);
      expect(await findings(page)).toEqual([]);
    }
  });

  it('shows the usual where an address asks for a choice that there is not', async () => {
    await open('#/fleet?sort=toString&only=constructor&view=valueOf', {}, (fake) =>
      fake.tell('device.seen', 'watch-1'),
    );
    await page.waitForSelector('.fleet tbody tr');
    expect(await page.locator('.fleet tbody tr').count()).toBe(4);
    await page.goto(`${api.url}/#/events?show=toString`);
    await page.waitForSelector('.events li');
    await page.goto(`${api.url}/#/device/watch-1?range=toString`);
    await page.waitForSelector('.uplot');
    expect(await text('.chip[aria-pressed="true"]')).toBe('1 hour');
  });

  it('shows that it is loading', async () => {
    await open('#/fleet', {}, (fake) => {
      fake.status = () => new Promise(() => {});
    });
    await page.waitForSelector('.ghost');
    expect(await text('#page')).toContain('Loading the fleet');
  });

  it('tells what the gateway reports when it fails, and mends itself', async () => {
    let broken = true;
    await open('#/fleet', {}, (fake) => {
      const { status } = fake;
      fake.status = async () => {
        if (broken)
          throw new GatewayError('store', 'the store is gone', { hint: 'look at the disk' });
        return status();
      };
    });
    await page.waitForSelector('body[data-link="error"]');
    expect(await text('#lost')).toMatch(
      /The gateway reports: the store is gone \(look at the disk\), since/,
    );
    expect(await text('.note.error')).toContain('the store is gone');
    expect(await findings(page)).toEqual([]);
    broken = false;
    await live();
    await page.waitForSelector('.fleet tbody tr');
  });

  it('tells on a page what its own question met', async () => {
    await open('#/models', {}, (fake) => {
      fake.models = async () => {
        throw new GatewayError('damaged', 'the registry is damaged', { hint: 'restore a backup' });
      };
    });
    await page.waitForSelector('.note.error');
    expect(await text('.note.error')).toContain('restore a backup');
    calls.models = fakeCalls().models;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForSelector('.detail h2');
  });

  it('puts alarms first, names them in a live region, and greys figures while offline', async () => {
    const quiet = alarmed(4, {
      alarm: { since: 0, message: 'x', what: 'score', silencedUntil: 9 },
    });
    const devices = [fakeDevice(1), alarmed(2), fakeDevice(3, { connected: false }), quiet];
    await open('#/fleet', { devices });
    await live();
    await page.waitForSelector('.fleet tbody tr');
    expect(await ids('.fleet a.device')).toEqual(['watch-2', 'watch-3', 'watch-4', 'watch-1']);
    expect(await text('.summary')).toBe('4 devices: 1 with an alarm, 1 silenced, 1 not connected.');
    expect(await page.locator('#alarms').getAttribute('aria-live')).toBe('assertive');
    expect(await text('#alarms')).toMatch(/^▲ watch-2: accuracy 0\.97 → 0\.31, since/);
    await api.close();
    await page.waitForSelector('body[data-link="offline"]');
    expect(await page.evaluate("getComputedStyle(document.querySelector('main')).filter")).toBe(
      'grayscale(1)',
    );
    expect(await findings(page)).toEqual([]);
  });

  it('keeps a thousand devices at a glance: tiles, found, filtered and sorted', async () => {
    const devices = Array.from({ length: 1000 }, (_, i) =>
      i === 777 ? alarmed(778) : fakeDevice(i + 1, { connected: i % 100 !== 0, history: [] }),
    );
    await open('#/fleet', { devices });
    await live();
    await page.waitForSelector('.tiles li');
    expect(await page.locator('.tiles li').count()).toBe(1000);
    expect(await text('.tiles a')).toContain('watch-778');
    await page.keyboard.press('/');
    await page.keyboard.type('not connected');
    await expect.poll(() => page.locator('.tiles li').count()).toBe(10);
    await page.keyboard.press('Escape');
    await page.getByLabel('Show').selectOption('alarm');
    await expect.poll(() => page.locator('.tiles li').count()).toBe(1);
    await page.getByLabel('Show').selectOption('all');
    await page.getByLabel('Sort').selectOption('name');
    expect(await text('.tiles a')).toContain('watch-1\n');
    // a change redraws the tile that changed, and no other
    await page.evaluate("document.querySelector('.tiles li').mine = true");
    calls.state.devices = devices.with(1, alarmed(2));
    calls.tell('alarm.raised', 'watch-2', { message: 'it fell' });
    await page.waitForSelector('.tiles li[data-id="watch-2"][data-tone="bad"]');
    expect(await page.evaluate("document.querySelector('.tiles li').mine")).toBe(true);
    expect(await tooWide(page)).toBe(0);
  });

  it('is driven by keys alone: to a page, a device, the help and back', async () => {
    await open('#/fleet');
    await live();
    await page.waitForSelector('.fleet tbody tr');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('skip');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('page');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('watch-2');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.page-device h1');
    expect(page.url()).toContain('#/device/watch-2');
    await page.keyboard.press('?');
    expect(await text('dialog')).toMatch(/g m\s+to Models/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('m');
    await page.waitForSelector('.page-models h1');
    await page.keyboard.press('t');
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('light');
    await page.reload();
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('light');
  });

  it('never runs what a device calls itself', async () => {
    const id = '<img src=x onerror=alert(1)>';
    const rollouts = [fakeRollout({ reason: id })];
    await open('#/fleet', { devices: [alarmed(1, { id })], rollouts }, (fake) =>
      fake.tell('device.seen', id),
    );
    await live();
    for (const hash of [
      '#/fleet',
      '#/events',
      '#/rollouts',
      `#/device/${encodeURIComponent(id)}`,
    ]) {
      await page.goto(`${api.url}/${hash}`);
      await page.locator('#page').getByText(id).first().waitFor();
      expect(await page.locator('img').count()).toBe(0);
    }
  });

  it('silences an alarm where it stands', async () => {
    await open('#/device/watch-2', { devices: [alarmed(2)] });
    await page.getByRole('button', { name: 'Silence for 8 h' }).click();
    await page.getByText("no more of 'accuracy' for 8 h").waitFor();
    expect(calls.asked).toContainEqual([
      'silence',
      { subject: 'watch-2', what: 'accuracy', forMs: 28_800_000 },
    ]);
  });

  it('lets a person say yes to an update that waits for it', async () => {
    const { devices } = fakeRollout();
    const waiting = fakeRollout({ stage: 'awaiting-approval', devices });
    await open('#/rollouts', { rollouts: [waiting] });
    await page.waitForSelector('.steps .now');
    expect(await text('.steps .now')).toBe("waits for a person's yes");
    await page.getByRole('button', { name: /^Approve v3f2a9c41/ }).click();
    await page.getByText('goes to the rest').waitFor();
    expect(calls.asked.find(([what]) => what === 'approveRollout')?.[1]).toBe('r1');
  });

  it('takes a number where the task measures a value', async () => {
    await open('#/label', { classes: [] });
    await page.waitForSelector('.label[data-sample="watch-1/81:17"]');
    await page.getByLabel('Value').fill('12.5');
    await page.keyboard.press('Enter');
    await page.getByText('1 label given here').waitFor();
    const label = { sample: 'watch-1/81:17', cls: '12.5' };
    expect(calls.asked.find(([what]) => what === 'addLabel')?.[1]).toMatchObject(label);
  });
});
