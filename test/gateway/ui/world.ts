import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import { loadBoard } from '../../../gateway/board.ts';
import { type Composed, compose } from '../../../gateway/compose.ts';
import { importRecordings } from '../../../gateway/imports.ts';
import { virtualClock } from '../../../gateway/link/virtual/clock.ts';
import { createVirtualDevice, type VirtualDevice } from '../../../gateway/link/virtual/device.ts';
import type { Recording } from '../../../gateway/recordings.ts';
import { createService, type Service } from '../../../gateway/service.ts';
import { PLOT_MONITOR } from '../../../gateway/story.ts';
import type { Task } from '../../../gateway/task.ts';
import { bundleFor, STEP_MS } from '../../support/loop-world.ts';
import { twoPeople } from '../../support/people.ts';
import { quickTask } from '../../support/tasks.ts';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What a page may not do: throw, break its content policy, or ask a host that is not the gateway. */
export async function openPage(
  browser: Browser,
  url: string,
  hash: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; problems: string[] }> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) problems.push(message.text());
  });
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (!['data:', 'blob:'].includes(asked.protocol) && asked.host !== new URL(url).host) {
      problems.push(`asked ${request.url()}`);
    }
  });
  await page.goto(`${url}/${hash}`);
  return { page, problems };
}

/** Serious and critical findings of axe, each in a line. */
export async function findings(page: Page): Promise<string[]> {
  // through the protocol, as a page's content policy lets no script in
  await page.evaluate(readFileSync(axe, 'utf8'));
  const found = (await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations)",
  )) as { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((n) => `${id}: ${n.html} ${n.failureSummary}`));
}

/** How far a page is wider than its window: nothing scrolls sideways but what is meant to. */
export const tooWide = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/**
 * A gateway with three virtual devices in virtual time, served to browsers. The motion is SYNTHETIC;
 * everything from the device's bundle to the page is real.
 */
export interface World {
  gateway: Composed;
  service: Service;
  url: string;
  /** the same gateway, asking everybody for a token */
  guardedUrl: string;
  /** what a stored window really was, by its name 'DEVICE/SESSION:SEQ' */
  truth(sample: string): string;
  /** Who wears a device from now on: Bob, on whom a model of Ann falls far. */
  wear(device: string): void;
  /** One window of every device. */
  step(): Promise<void>;
  until(holds: () => boolean): Promise<boolean>;
  /** Lets time pass while a browser looks; ends it. */
  live(): () => Promise<void>;
  /** Takes the gateway off the net, as a cut cable does; brings it back. */
  unplug(): Promise<void>;
  plug(): Promise<void>;
  close(): Promise<void>;
}

const DEVICES = ['w1', 'w2', 'w3'];
/** Steps after which something that ought to happen does not any more. */
const STEPS = 300;

/**
 * @param change of the task
 * @param approval 'canary': rollouts wait for a person, but for the first, which is approved
 */
export async function uiWorld(
  change: Partial<Task> = {},
  approval: 'none' | 'canary' = 'none',
): Promise<World> {
  const quick = quickTask({
    rollout: { canaryShare: 0.34, soakWindows: 3, trialWindows: 40 },
    send: { confidentOneIn: 1, uncertainBelow: 255, rawOneIn: 4 },
  });
  const task = { ...quick, monitor: { ...quick.monitor, ...PLOT_MONITOR }, ...change };
  const people = twoPeople(task, 12, 8);
  // what is shown as a time of day lies in the past, as it does for who looks
  const clock = virtualClock(Date.now() - 24 * 3_600_000);
  const gateway = compose({
    ...{ task, directory: ':memory:', clock, automatic: true, seed: 1, approval },
  });
  const { store, loop } = gateway;
  const board = loadBoard('espruino-linux');
  const bundle = await bundleFor(task);
  const devices = new Map<string, VirtualDevice>();
  const worn = new Map<string, Recording[]>();
  const fed = new Map<string, number[]>();
  for (const [i, id] of DEVICES.entries()) {
    const device = createVirtualDevice({ bundle, id, board, clock, seed: 100 + i });
    devices.set(id, device);
    worn.set(id, people.ann.test);
    fed.set(id, []);
    await loop.attach(device.port);
  }
  const startedAt = clock.now();
  const service = createService(gateway, {
    ...{ sentence: 'three virtual watches on synthetic motion: no real sensor', startedAt },
  });
  const serve = (port: number, requireToken: boolean): Promise<Api> =>
    serveApi(service.call, { port, access: service.access, requireToken });
  let api = await serve(0, false);
  const guarded = await serve(0, true);
  const { url } = api;

  async function pass(ms: number): Promise<void> {
    store.flush();
    await clock.advance(ms);
    store.flush();
    // training and requests are not of this clock
    await new Promise((resolve) => setImmediate(resolve));
  }
  async function step(): Promise<void> {
    for (const [id, device] of devices) {
      const all = worn.get(id)!;
      const before = fed.get(id)!;
      const { window, length, cls } = all[before.length % all.length]!;
      // without a model there is no window
      if (device.feedWindow(window, length) !== undefined) before.push(cls);
    }
    await pass(STEP_MS);
  }
  async function until(holds: () => boolean): Promise<boolean> {
    for (let i = 0; i < STEPS && !holds(); i++) await step();
    return holds();
  }

  await importRecordings(store, task, 'recordings', people.ann.learn, clock.now());
  await pass(STEP_MS);
  const { rollout, reason } = await loop.heal({ kind: 'fleet', id: '' });
  if (rollout === null) throw new Error(`no first model: ${reason}`);
  if (approval === 'canary') {
    await until(() => loop.rollouts.get(rollout)!.stage === 'awaiting-approval');
    loop.rollouts.approve(rollout, 'the test');
  }
  await until(() => loop.rollouts.get(rollout)!.stage === 'settled');

  return {
    ...{ gateway, service, url, guardedUrl: guarded.url, step, until },
    truth(sample) {
      const [, device, seq] = /^(.+)\/\d+:(\d+)$/.exec(sample)!;
      return task.classes[fed.get(device!)![Number(seq) - 1]!]!;
    },
    wear(device) {
      const bob = people.bob.test;
      // the next window is the first of Bob's
      const shift = fed.get(device)!.length % bob.length;
      worn.set(device, [...bob.slice(bob.length - shift), ...bob.slice(0, bob.length - shift)]);
    },
    live() {
      let ended = false;
      const living = (async () => {
        while (!ended) {
          await step();
          await new Promise((resolve) => setTimeout(resolve, 30));
        }
      })();
      return () => {
        ended = true;
        return living;
      };
    },
    unplug: () => api.close(),
    async plug() {
      api = await serve(Number(new URL(url).port), false);
    },
    async close() {
      await Promise.all([api.close(), guarded.close()]);
      service.close();
      for (const device of devices.values()) await device.dispose();
      await gateway.close();
    },
  };
}
