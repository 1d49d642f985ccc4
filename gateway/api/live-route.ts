import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { Calls } from '../calls.ts';
import { Failure } from '../views/failure.ts';
import { LiveMessage } from '../views/live.ts';
import { failure } from './failures.ts';
import { sendLive } from './live.ts';
import { gives } from './route.ts';

const Query = Type.Object(
  {
    since: Type.Optional(Type.Integer({ minimum: 0, description: 'id of the last known event' })),
    topics: Type.Optional(
      Type.String({
        pattern: '^(events|windows)(,(events|windows))*$',
        description: 'events, windows, or both with a comma; events where nothing is said',
      }),
    ),
  },
  { additionalProperties: false },
);

/**
 * Puts `/api/live`, a WebSocket.
 *
 * @param app where it goes; `@fastify/websocket` is there already
 * @param calls what it tells of
 * @param mayStill whether who opened it may still read
 */
export function addLive(
  app: FastifyInstance,
  calls: Calls,
  mayStill: (request: FastifyRequest) => boolean,
): void {
  app.route<{ Querystring: Static<typeof Query> }>({
    ...{ method: 'GET', url: '/api/live', config: { role: 'viewer' } },
    schema: {
      summary: 'A WebSocket that tells what happens, as it happens',
      querystring: Query,
      response: {
        101: gives(LiveMessage, 'messages, each a JSON object: hello, event, window, skipped'),
        426: Failure,
      },
    },
    handler: async (_request, reply) =>
      reply
        .code(426)
        .header('upgrade', 'websocket')
        .send(failure('bad-request', 'this is a WebSocket', 'ask for it with Upgrade: websocket')),
    wsHandler: (socket, request) => {
      const { since, topics = 'events' } = request.query;
      return sendLive(calls, socket, {
        ...{ since, role: request.caller!.role, mayStill: () => mayStill(request) },
        topics: topics.split(',') as ('events' | 'windows')[],
      });
    },
  });
}
