import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Gateway } from '../../gateway/calls.ts';
import { startGateway } from '../../gateway/main.ts';
import { hasOpenssl, makeCertificate, skippedOpenssl } from '../support/certificates.ts';
import { temporary } from '../support/loop-world.ts';
import * as n from './node-red.ts';

const isLinux = existsSync('/proc/self/fd');

describe('the connection of the nodes', () => {
  const ends: (() => void | Promise<void>)[] = [];
  let gateway: Gateway;
  let red: n.NodeRed;
  let token: string;
  let port: number;
  const dataDir = join(
    temporary((end) => void ends.push(end)),
    'data',
  );
  const start = (at: number): Promise<Gateway> =>
    startGateway({ virtual: 1, port: at, dataDir, requireToken: true });

  const flow = (): object[] => [
    ...[n.tab, n.gatewayAt(gateway.url)],
    ...[n.whetstone('alerts', 'alerts', [['events']], { about: 'everything' }), n.debug('events')],
    ...[n.whetstone('windows', 'predictions', [['seen']]), n.debug('seen')],
    ...[n.inject('say', 'label'), n.catching('c', 'caught'), n.debug('caught')],
    n.whetstone('label', 'label', [[]], {
      ...{ action: 'release', sample: 'payload', sampleType: 'msg' },
    }),
  ];
  const ids = (): number[] => red.messages('events').map(({ event }) => event.id);
  /** Every event of a gateway from the first that the flow saw to the newest. */
  const logged = async (): Promise<number[]> => {
    const [first = 0] = ids();
    return (await gateway.call.events({ since: first - 1, limit: 1000 })).map(({ id }) => id);
  };

  beforeAll(async () => {
    [gateway, red] = await Promise.all([start(0), n.startNodeRed()]);
    port = Number(new URL(gateway.url).port);
    ends.push(
      () => gateway.close(),
      () => red.close(),
    );
    ({ token } = await gateway.call.addToken({ name: 'flows', role: 'viewer' }));
  });
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  it('says that a token is refused, in its status and to Catch nodes', async () => {
    await red.deploy(flow(), { gw: { token: 'whet_nonsense' } });
    await red.statusIs('alerts', 'token refused');
    await red.statusIs('label', 'token refused');
    const errors = await red.until('caught', 1);
    expect(errors[0].error.source.type).toBe('whetstone-gateway');
    await red.inject('say', { payload: 'watch-1/1:1' });
    await vi.waitFor(() => {
      const mine = red.messages('caught').filter(({ error }) => error.source.id === 'label');
      expect(mine.map(({ error }) => error.message)).toEqual([expect.stringContaining('token')]);
    }, 10_000);
    // tried again and again, told once
    const told = red.messages('caught').filter(({ error }) => error.source.id === 'gw');
    expect(told).toHaveLength(1);
  });

  it('says that a role is too small', async () => {
    await red.deploy(flow(), { gw: { token } });
    await red.statusIs('label', 'connected');
    await red.inject('say', { payload: 'watch-1/1:1' });
    const [{ error }] = await red.until('caught', 1);
    expect([error.source.id, error.code]).toEqual(['label', 'too-small-role']);
  });

  it('is there again after the gateway was away, with every event once', async () => {
    await red.until('seen', 1);
    await gateway.close();
    await red.statusIs('windows', 'no gateway, trying again');
    await red.inject('say', { payload: 'watch-1/1:1' });
    await vi.waitFor(() => {
      const messages = red.messages('caught').map(({ error }) => error.message);
      expect(messages.join()).toMatch(/no gateway answers at http.*ECONNREFUSED/);
    }, 10_000);
    gateway = await start(port);
    await red.statusIs('label', 'connected');
    await vi.waitFor(async () => expect(ids()).toEqual(await logged()), 15_000);
    const kinds = red.messages('events').map(({ topic }) => topic);
    // what happened while nobody could listen, too
    expect(kinds).toEqual(expect.arrayContaining(['gateway.stopped', 'gateway.started']));
    // and every window once: those, too, that were stored before the nodes were back
    await vi.waitFor(async () => {
      const stored = (await gateway.call.windows('watch-1', { limit: 1000 })).reverse();
      const good = stored.flatMap(({ id, quarantine }) => (quarantine ? [] : [`watch-1/${id}`]));
      const seen = red.messages('seen').map(({ sample }) => sample);
      expect(seen).toEqual(good.slice(good.indexOf(seen[0])));
      expect(new Set(seen.map((sample) => sample.split(':')[0])).size).toBe(2);
    }, 15_000);
  });

  it('goes on after a deployment with what happened meanwhile', async () => {
    const before = ids().at(-1)!;
    // nobody follows now
    await red.deploy(flow().slice(0, 2), { gw: { token } });
    const { id } = await gateway.call.addToken({ name: 'meanwhile', role: 'viewer' });
    await gateway.call.revokeToken(id);
    await red.deploy(flow(), { gw: { token } });
    await red.statusIs('label', 'connected');
    await vi.waitFor(async () => {
      const [first] = ids();
      expect(first).toBe(before + 1);
      expect(ids()).toEqual(await logged());
    }, 10_000);
  });

  it.skipIf(!isLinux)('leaves nothing behind when it is deployed again and again', async () => {
    const sockets = (): number =>
      readdirSync(`/proc/${red.pid}/fd`).filter((fd) => {
        try {
          return readlinkSync(`/proc/${red.pid}/fd/${fd}`).startsWith('socket:');
        } catch {
          return false;
        }
      }).length;
    const deploy = async (): Promise<void> => {
      await red.deploy(flow(), { gw: { token } });
      await red.statusIs('label', 'connected');
    };
    await deploy();
    const before = sockets();
    for (let i = 0; i < 20; i++) await deploy();
    // those of the deployments themselves end a little later
    await vi.waitFor(() => expect(sockets()).toBeLessThanOrEqual(before + 1), 10_000);
    expect(red.log()).not.toMatch(/MaxListeners|memory leak/);
    const seen = red.messages('events').length;
    const { id } = await gateway.call.addToken({ name: 'once', role: 'viewer' });
    await vi.waitFor(() => expect(red.messages('events').length).toBeGreaterThan(seen), 10_000);
    expect(ids()).toEqual([...new Set(ids())]);
    await gateway.call.revokeToken(id);
  });

  it.skipIf(!hasOpenssl)(`trusts the CA file that it is given${skippedOpenssl}`, async () => {
    const tls = makeCertificate('IP:127.0.0.1');
    const folder = temporary((end) => void ends.push(end));
    const secure = await startGateway({ virtual: 0, port: 0, dataDir: join(folder, 'data'), tls });
    const at = (caFile: string): object[] =>
      flow().map((node) => ('url' in node ? { ...node, url: secure.url, caFile } : node));
    try {
      const added = await secure.call.addToken({ name: 'flows', role: 'viewer' });
      await red.deploy(at(''), { gw: { token: added.token } });
      await red.statusIs('alerts', 'certificate not trusted');
      await red.deploy(at(tls.cert), { gw: { token: added.token } });
      await red.statusIs('label', 'connected');
      await red.inject('say', { payload: 'watch-1/1:1' });
      const [{ error }] = await red.until('caught', 1);
      expect(error.code).toBe('too-small-role');
    } finally {
      await secure.close();
    }
  });
});
