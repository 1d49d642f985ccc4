import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { type Calls, FORMATS } from '../calls.ts';
import { addKeyRoutes } from './key-routes.ts';
import { addLabelRoutes } from './label-routes.ts';
import { addMonitorRoutes } from './monitor-routes.ts';
import type { AddRoute } from './route.ts';

const closed = { additionalProperties: false } as const;
const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 }));

const ById = Type.Object({ id: Type.String({ maxLength: 200 }) }, closed);
const ByVersion = Type.Object({ version: Type.String({ pattern: '^[0-9a-f]{4,64}$' }) }, closed);
const EventQuery = Type.Object(
  { since: Type.Optional(Type.Integer({ minimum: 0 })), limit },
  closed,
);
const Train = Type.Object(
  { scope: Type.String({ pattern: '^(fleet|cohort:.+|device:.+)$' }) },
  closed,
);
const Rollback = Type.Object(
  { version: Type.Optional(Type.String({ pattern: '^[0-9a-f]{4,64}$' })) },
  closed,
);

const reason = Type.String({ minLength: 1, maxLength: 500 });
const Revoke = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{16}$' }), reason }, closed);
const Sign = Type.Object({ reason }, closed);
const Export = Type.Object({ format: Type.Enum([...FORMATS]) }, closed);
const Import = Type.Object(
  {
    task: Type.String({ minLength: 1, maxLength: 200 }),
    file: Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$', description: 'a .tflite file, base64' }),
    look: Type.Optional(Type.Boolean()),
  },
  closed,
);
/** A model file in base64: 16 MB, above what any microcontroller holds. */
const IMPORT_BYTES = 22 * 2 ** 20;

/**
 * Puts every call but the live events under `/api`.
 *
 * @param app where the routes go
 * @param calls what answers them
 */
export function addRoutes(app: FastifyInstance, calls: Calls): void {
  const add: AddRoute = (method, url, { params, query, body, bodyLimit }, answer) => {
    const schema = {
      ...(params && { params }),
      querystring: query ?? Type.Object({}, closed),
      ...(body && { body }),
    };
    app.route({
      method,
      url: `/api${url}`,
      schema,
      ...(bodyLimit !== undefined && { bodyLimit }),
      handler: (request) =>
        answer({
          params: request.params as never,
          query: request.query as never,
          body: request.body as never,
        }),
    });
  };

  add('GET', '/status', {}, () => calls.status());
  add('GET', '/devices', {}, () => calls.devices());
  add('GET', '/devices/:id', { params: ById }, ({ params }) => calls.device(params.id));
  add('GET', '/models', {}, () => calls.models());
  add('GET', '/models/:version', { params: ByVersion }, ({ params }) =>
    calls.model(params.version),
  );
  add('POST', '/models/:version/promote', { params: ByVersion }, ({ params }) =>
    calls.promote(params.version),
  );
  add('GET', '/signing', {}, () => calls.signingKeys());
  add('POST', '/signing/rotate', {}, () => calls.rotateSigning());
  add('POST', '/signing/revoke', { body: Revoke }, ({ body }) => calls.revokeSigning(body));
  const signed = { params: ByVersion, body: Sign };
  add('POST', '/models/:version/sign', signed, ({ params, body }) =>
    calls.signVersion({ version: params.version, reason: body.reason }),
  );
  const exported = { params: ByVersion, query: Export };
  add('GET', '/models/:version/export', exported, ({ params, query }) =>
    calls.exportModel(params.version, query.format),
  );
  add('POST', '/models/import', { body: Import, bodyLimit: IMPORT_BYTES }, ({ body }) =>
    calls.importModel(body),
  );
  add('GET', '/rollouts', {}, () => calls.rollouts());
  add('POST', '/rollback', { body: Rollback }, ({ body }) => calls.rollback(body.version));
  addKeyRoutes(add, calls);
  addLabelRoutes(add, calls);
  addMonitorRoutes(add, calls);
  add('GET', '/events', { query: EventQuery }, ({ query }) => calls.events(query));
  add('POST', '/train', { body: Train }, ({ body }) => calls.train(body));
}
