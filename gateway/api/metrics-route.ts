import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { Metrics } from '../metrics.ts';
import { gives } from './route.ts';

/**
 * Puts `/metrics` in the text format of Prometheus.
 *
 * @param app where it goes
 * @param metrics what is told
 */
export function addMetrics(
  app: FastifyInstance,
  metrics: Pick<Metrics, 'text' | 'contentType'>,
): void {
  app.get(
    '/metrics',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Figures for Prometheus',
        response: { 200: gives(Type.String(), 'text exposition format') },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}
