import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { Readiness } from '../views/live.ts';
import { gives } from './route.ts';

/**
 * Puts `/healthz` (the process answers) and `/readyz` (it can do its work), for supervisors: without a
 * token, and telling nothing that one would be for.
 *
 * @param app where the routes go
 * @param ready looks
 */
export function addHealth(app: FastifyInstance, ready: () => Readiness): void {
  app.get(
    '/healthz',
    {
      config: { role: 'anyone' },
      schema: {
        summary: 'Whether the process answers',
        response: { 200: gives(Type.Object({ ok: Type.Literal(true) }), 'it does') },
      },
    },
    async () => ({ ok: true }),
  );
  const returns = gives(Readiness, 'whether it can do its work, and why not');
  app.get(
    '/readyz',
    {
      config: { role: 'anyone' },
      schema: {
        summary: 'Whether the gateway can do its work: 503 where it cannot',
        response: { 200: returns, 503: returns },
      },
    },
    async (_request, reply) => {
      const found = ready();
      return reply.code(found.ready ? 200 : 503).send(found);
    },
  );
}
