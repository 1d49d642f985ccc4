import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { startProcess } from '../../gateway/bench/faults/kill/gateway-process.ts';
import type { StartOptions } from '../../gateway/calls.ts';
import { startGateway } from '../../gateway/main.ts';
import { openStore } from '../../gateway/store/store.ts';
import { temporary } from '../support/loop-world.ts';
import { hasSocat, ptyPair, skippedSocat } from '../support/pty.ts';

/** What keeps this process alive, by kind, once what was just closed is gone. */
async function handles(): Promise<Map<string, number>> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  const count = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) count.set(kind, (count.get(kind) ?? 0) + 1);
  return count;
}

/** Kinds of which there are more than before. */
async function leaked(before: Map<string, number>): Promise<string[]> {
  const now = await handles();
  return [...now.keys()].filter((kind) => now.get(kind)! > (before.get(kind) ?? 0));
}

function config(value: unknown): string {
  const path = join(temporary(), 'whetstone.json');
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

const quiet = (): StartOptions => ({ virtual: 0, port: 0, dataDir: join(temporary(), 'data') });

describe('startGateway()', () => {
  it('serves its calls and page on a free port, until it is closed', async () => {
    const options = quiet();
    const gateway = await startGateway(options);
    expect(await gateway.call.status()).toMatchObject({
      ...{ sentence: 'no devices', synthetic: false, task: 'gesture', devices: [] },
    });
    const page = await fetch(gateway.url);
    expect([page.status, (await page.text()).includes('Whetstone')]).toEqual([200, true]);
    await gateway.close();
    await expect(fetch(gateway.url)).rejects.toThrow();
    const store = openStore({ directory: options.dataDir!, readOnly: true });
    expect(store.journal.find().map(({ kind }) => kind)).toEqual([
      ...['signer.created', 'gateway.started', 'token.added', 'gateway.stopped'],
    ]);
    store.close();
  });

  it('takes what is said before what the configuration file says', async () => {
    const dataDir = join(temporary(), 'of-the-file');
    const path = config({ dataDir, virtual: 3, port: 0 });
    const gateway = await startGateway({ config: path, virtual: 0 });
    expect(await gateway.call.status()).toMatchObject({ sentence: 'no devices' });
    await gateway.close();
    openStore({ directory: dataDir, readOnly: true }).close();
  });

  it('says where weak links are allowed, in its sentence and in its log', async () => {
    const options = quiet();
    const gateway = await startGateway({ ...options, config: config({ allowWeakLink: true }) });
    expect((await gateway.call.status()).sentence).toMatch(/WEAK LINKS ARE ALLOWED/);
    const [, started] = await gateway.call.events();
    expect(started).toMatchObject({ kind: 'gateway.started', data: { allowWeakLink: true } });
    await gateway.close();
  });

  it.each([
    ['{ "virtual": ', /is not JSON: /],
    [{ virtual: 'four' }, /virtual must be integer/],
    [{ virtual: 500 }, /virtual must be <= 200/],
    [{ port: -1 }, /port must be >= 0/],
    [{ watches: 4 }, /watches is not a field; fields: dataDir, task/],
    [{ serial: '/dev/ttyACM0' }, /serial must be array/],
    [[], /it must be object/],
  ])('refuses the configuration %j in one line', async (value, message) => {
    const path = config(value);
    const error = await startGateway({ ...quiet(), config: path }).catch((reason) => reason);
    expect(error).toMatchObject({ name: 'GatewayError', code: 'bad-config' });
    expect(error.message).toContain(path);
    expect(error.message).toMatch(message);
    expect(error.line()).not.toContain('\n');
  });

  it('refuses a configuration that is missing, and a task that is none', async () => {
    const missing = startGateway({ ...quiet(), config: '/nowhere/whetstone.json' });
    await expect(missing).rejects.toMatchObject({ code: 'bad-config' });
    const task = startGateway({ ...quiet(), task: 'cooking' });
    await expect(task).rejects.toMatchObject({ code: 'bad-task' });
  });

  it.each([['a host that is not this machine', { host: '0.0.0.0' }, 'not-allowed']])(
    'leaves nothing open after %s',
    async (_, wrong, code) => {
      const options = { ...quiet(), ...wrong };
      const before = await handles();
      await expect(startGateway(options)).rejects.toMatchObject({ code });
      expect(await leaked(before)).toEqual([]);
      // the directory is free again
      await (await startGateway({ ...quiet(), dataDir: options.dataDir! })).close();
    },
  );

  it.skipIf(!hasSocat)(
    `waits for boards that are not there, says so, and opens them when they come${skippedSocat}`,
    async () => {
      const cable = temporary();
      const tty = join(cable, 'a');
      const before = await handles();
      const options = { ...quiet(), serial: [tty], ble: ['puck-1'] };
      const gateway = await startGateway(options);
      const said = async (kind: string) =>
        (await gateway.call.events({ limit: 50 })).filter((event) => event.kind === kind);
      expect((await gateway.call.status()).sentence).toBe(`2 boards at ${tty}, puck-1`);
      await vi.waitFor(
        async () =>
          expect((await said('port.waiting')).map(({ subject }) => subject).toSorted()).toEqual([
            ...[tty, 'ble puck-1'],
          ]),
        20_000, // a computer with Bluetooth looks for a while
      );
      const reasons = (await said('port.waiting')).map(({ data }) => data.reason);
      expect(reasons.find((text) => `${text}`.includes(tty))).toMatch(
        /there is no device.*plug it in/,
      );
      expect(reasons.find((text) => !`${text}`.includes(tty))).toMatch(/Bluetooth/);
      const pair = await ptyPair(cable);
      await vi.waitFor(
        async () =>
          expect((await said('port.opened')).map(({ subject }) => subject)).toEqual([tty]),
        10_000,
      );
      await gateway.close();
      await pair.close();
      expect(await leaked(before)).toEqual([]);
    },
  );

  it('leaves no timer or handle behind when it is closed', async () => {
    const before = await handles();
    const gateway = await startGateway({ ...quiet(), virtual: 1 });
    // a device writes its boot into flash before it says hello
    await vi.waitFor(
      async () => expect((await gateway.call.devices()).map(({ id }) => id)).toEqual(['watch-1']),
      20_000,
    );
    await gateway.close();
    await gateway.close(); // once more does no harm
    expect(await leaked(before)).toEqual([]);
  });
});

describe('whetstone start', () => {
  it('ends by itself with status 0 once it is told to stop', async () => {
    const dir = join(temporary(), 'data');
    const started = startProcess('--virtual', '1', '--http-port', '0', '--data-dir', dir);
    await started.says('watch-1: trial');
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
    expect(started.output.err).toBe('');
  });
});
