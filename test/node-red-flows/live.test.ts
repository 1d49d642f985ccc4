import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { followLive, type LinkState } from '../../node-red-flows/src/live.ts';

it.each(['no JSON', 'null', '{"type":"event"}'])(
  'followLive() takes who says %s for no gateway',
  async (said) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => socket.send(said));
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const waiting = new Promise<LinkState>((resolve) => {
      const tell = (state: LinkState): void => {
        if (state.phase === 'waiting') resolve(state);
      };
      const nothing = (): void => {};
      const listener = { event: nothing, window: nothing, skipped: nothing, cursor: nothing };
      const end = followLive(
        { target: { url }, topics: ['events'], since: 1 },
        { ...listener, state: tell },
      );
      onTestFinished(() => {
        end();
        server.close();
      });
    });
    expect(await waiting).toMatchObject({ error: { code: 'no-gateway' } });
  },
);
