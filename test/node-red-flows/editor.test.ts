import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway } from '../../gateway/calls.ts';
import { startGateway } from '../../gateway/main.ts';
import { launch, skippedChromium } from '../support/chromium.ts';
import { temporary } from '../support/loop-world.ts';
import * as n from './node-red.ts';

/** A folder for screenshots, when somebody wants to look at them. */
const pictures = process.env.WHETSTONE_SCREENSHOTS;
const kinds = ['predictions', 'label', 'alerts', 'train', 'rollout', 'infer'];

describe.skipIf(skippedChromium !== '')(`the editor${skippedChromium}`, () => {
  const ends: (() => void | Promise<void>)[] = [];
  let gateway: Gateway;
  let red: n.NodeRed;
  let browser: Browser;
  let page: Page;
  let token: string;
  const problems: string[] = [];

  beforeAll(async () => {
    const dataDir = join(
      temporary((end) => void ends.push(end)),
      'data',
    );
    [gateway, red, browser] = await Promise.all([
      startGateway({ virtual: 1, port: 0, dataDir, requireToken: true }),
      n.startNodeRed(),
      launch(),
    ]);
    ends.push(
      () => gateway.close(),
      () => red.close(),
      () => browser.close(),
    );
    ({ token } = await gateway.call.addToken({ name: 'flows', role: 'operator' }));
    await red.deploy([n.tab]);
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(red.url);
    await page.locator('#red-ui-palette-search input').waitFor();
  });
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  const picture = async (name: string): Promise<void> => {
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) });
  };
  const placed = new Map<string, string>();
  const node = (kind: string) => page.locator(`[id="${placed.get(kind)}"].red-ui-flow-node`);
  /** Drags a node from the palette into the flow, as a person does. */
  const place = async (kind: string, y: number): Promise<void> => {
    // waits until the palette stands still
    await page.locator(`.red-ui-palette-node[data-palette-type="whetstone-${kind}"]`).hover();
    const to = await page.locator('#red-ui-workspace-chart').boundingBox();
    await page.mouse.down();
    await page.mouse.move(to!.x + 100, to!.y + y, { steps: 4 });
    await page.mouse.move(to!.x + 200, to!.y + y, { steps: 4 });
    await page.mouse.up();
    const find = `RED.nodes.filterNodes({ type: 'whetstone-${kind}' }).map(({ id }) => id)`;
    await expect.poll(() => page.evaluate(find)).toHaveLength(1);
    placed.set(kind, ((await page.evaluate(find)) as string[])[0]!);
  };
  const editNode = async (kind: string): Promise<void> => {
    await node(kind).dblclick({ position: { x: 60, y: 15 } });
    await page.locator('#node-input-gateway').waitFor();
    // the tray slides in
    await page.locator('#node-dialog-ok').click({ trial: true });
  };
  const test = (): Promise<string> => page.locator('#whetstone-test-said').innerText();

  it('has every node in the palette, with its help', async () => {
    await page.locator('#red-ui-palette-search input').pressSequentially('whetstone');
    await page
      .locator('.red-ui-palette-node[data-palette-type="inject"]')
      .waitFor({ state: 'hidden' });
    for (const kind of kinds) {
      await page.locator(`.red-ui-palette-node[data-palette-type="whetstone-${kind}"]`).waitFor();
      const help = (await page.evaluate(`RED.nodes.getNodeHelp('whetstone-${kind}')`)) as string;
      expect(help).toMatch(/<p>.*<h3>(Outputs|Inputs)/s);
    }
    expect(
      await page.locator('.red-ui-palette-node[data-palette-type^="whetstone-"]').count(),
    ).toBe(kinds.length);
    for (const [i, kind] of kinds.entries()) await place(kind, 60 + 70 * i);
    await picture('palette');
  });

  it('adds a gateway, and says whether it can be reached', async () => {
    await editNode('predictions');
    await page.locator('#node-input-btn-gateway-add').click();
    const url = page.locator('#node-config-input-url');
    await url.fill('http://127.0.0.1:1');
    const said = async (text: RegExp): Promise<void> => {
      await page.locator('#whetstone-test').click();
      await expect.poll(test, { timeout: 10_000 }).toMatch(text);
    };
    await said(/^no gateway answers at http:\/\/127\.0\.0\.1:1: ECONNREFUSED/);
    await url.fill(gateway.url);
    await said(/token/);
    await page.locator('#node-config-input-token').fill('nonsense');
    await said(/token/);
    await page.locator('#node-config-input-token').fill(token);
    await said(/^Connected as flows \(operator\); devices: 1, task: gesture$/);
    await picture('gateway');
    await page.locator('#node-config-dialog-ok').click();
    await page.locator('#node-config-dialog-ok').waitFor({ state: 'detached' });
    await page.locator('#node-dialog-ok').click();
    await page.locator('#node-dialog-ok').waitFor({ state: 'detached' });
  });

  it.each(kinds)('shows the fields of %s in words', async (kind) => {
    await editNode(kind);
    const form = page.locator('#dialog-form');
    const words = await form.innerText();
    expect(words).toContain('Gateway');
    // what has no translation is shown by its key
    expect(words).not.toMatch(/whetstone-|\w+\.\w+s\./);
    const select = form.locator(
      'select#node-input-action, select#node-input-about, select#node-input-by',
    );
    if ((await select.count()) > 0) {
      const options = await select.locator('option').allInnerTexts();
      expect(options.length).toBeGreaterThan(2);
      for (const value of await select
        .locator('option')
        .evaluateAll((all) => all.map((one) => (one as unknown as { value: string }).value))) {
        await select.selectOption(value);
      }
      await select.selectOption({ index: 0 });
    }
    await picture(`edit-${kind}`);
    await page.locator('select#node-input-gateway').selectOption({ label: gateway.url });
    await page.locator('#node-dialog-ok').click();
    await page.locator('#node-dialog-ok').waitFor({ state: 'detached' });
  });

  it('deploys them, and each shows that it is connected', async () => {
    await page.locator('#red-ui-header-button-deploy').click();
    for (const kind of kinds) {
      await expect
        .poll(() => node(kind).locator('.red-ui-flow-node-status-label').textContent(), {
          timeout: 15_000,
        })
        .toMatch(kind === 'predictions' || kind === 'alerts' ? /./ : /^connected$/);
    }
    await picture('deployed');
    const flows = (await (await fetch(`${red.url}/flows`)).json()) as object[];
    // the token is with the credentials, not in the flow
    expect(JSON.stringify(flows)).not.toContain(token);
    expect(JSON.stringify(flows)).toContain(gateway.url);
  });

  it('keeps the token when the gateway is tried again', async () => {
    await editNode('train');
    await page.locator('#node-input-btn-gateway-edit').click();
    await page.locator('#whetstone-test').click();
    await expect.poll(test, { timeout: 10_000 }).toMatch(/^Connected as flows/);
    await page.locator('#node-config-dialog-cancel').click();
    await page.locator('#node-config-dialog-cancel').waitFor({ state: 'detached' });
    await page.locator('#node-dialog-cancel').click();
  });

  it('offers the examples for import', async () => {
    const examples = (await (
      await fetch(`${red.url}/library/examples/flows/@whetstone/node-red-flows`)
    ).json()) as object;
    expect(JSON.stringify(examples)).toContain('alarm-to-notification');
    expect(problems).toEqual([]);
  });
});
