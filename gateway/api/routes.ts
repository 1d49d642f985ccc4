import type { FastifyInstance } from 'fastify';
import Type, { type Static, type TSchema } from 'typebox';
import { type Calls, FORMATS } from '../calls.ts';

const closed = { additionalProperties: false } as const;
const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 }));

const ById = Type.Object({ id: Type.String({ maxLength: 200 }) }, closed);
const ByVersion = Type.Object({ version: Type.String({ pattern: '^[0-9a-f]{4,64}$' }) }, closed);
const LabelQuery = Type.Object(
  {
    device: Type.Optional(Type.String()),
    unlabelled: Type.Optional(Type.Boolean()),
    quarantined: Type.Optional(Type.Boolean()),
    limit,
  },
  closed,
);
const EventQuery = Type.Object(
  { since: Type.Optional(Type.Integer({ minimum: 0 })), limit },
  closed,
);
const NewLabel = Type.Object(
  {
    sample: Type.String({ pattern: '^[^\\s]+/\\d+:\\d+$', description: 'DEVICE/SESSION:SEQ' }),
    cls: Type.String({ minLength: 1 }),
    source: Type.Optional(Type.String({ maxLength: 100 })),
  },
  closed,
);
const Release = Type.Object({ sample: NewLabel.properties.sample }, closed);
const Train = Type.Object(
  { scope: Type.String({ pattern: '^(fleet|cohort:.+|device:.+)$' }) },
  closed,
);
const Rollback = Type.Object(
  { version: Type.Optional(Type.String({ pattern: '^[0-9a-f]{4,64}$' })) },
  closed,
);

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

/** What a route is told, after its schema has accepted it. */
interface Asked<P, Q, B> {
  params: P;
  query: Q;
  body: B;
}

interface Route<P extends TSchema, Q extends TSchema, B extends TSchema> {
  params?: P;
  query?: Q;
  body?: B;
  /** longest body, where it is not the server's */
  bodyLimit?: number;
}

/**
 * Puts every call but the live events under `/api`.
 *
 * @param app where the routes go
 * @param calls what answers them
 */
export function addRoutes(app: FastifyInstance, calls: Calls): void {
  const add = <P extends TSchema, Q extends TSchema, B extends TSchema>(
    method: 'GET' | 'POST',
    url: string,
    { params, query, body, bodyLimit }: Route<P, Q, B>,
    answer: (asked: Asked<Static<P>, Static<Q>, Static<B>>) => Promise<unknown>,
  ) => {
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
          params: request.params as Static<P>,
          query: request.query as Static<Q>,
          body: request.body as Static<B>,
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
  const exported = { params: ByVersion, query: Export };
  add('GET', '/models/:version/export', exported, ({ params, query }) =>
    calls.exportModel(params.version, query.format),
  );
  add('POST', '/models/import', { body: Import, bodyLimit: IMPORT_BYTES }, ({ body }) =>
    calls.importModel(body),
  );
  add('GET', '/rollouts', {}, () => calls.rollouts());
  add('POST', '/rollback', { body: Rollback }, ({ body }) => calls.rollback(body.version));
  add('GET', '/labels', { query: LabelQuery }, ({ query }) => calls.labels(query));
  add('POST', '/labels', { body: NewLabel }, ({ body }) => calls.addLabel(body));
  add('POST', '/labels/release', { body: Release }, ({ body }) => calls.release(body.sample));
  add('GET', '/events', { query: EventQuery }, ({ query }) => calls.events(query));
  add('POST', '/train', { body: Train }, ({ body }) => calls.train(body));
}
