import Type from 'typebox';
import type { Calls } from '../calls.ts';
import type { AddRoute } from './route.ts';

const closed = { additionalProperties: false } as const;
const share = Type.Number({ minimum: 0, maximum: 1 });
const flag = Type.Optional(Type.Boolean());
const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 }));
const source = Type.Optional(Type.String({ minLength: 1, maxLength: 100 }));
const sample = Type.String({ pattern: '^[^\\s]+/\\d+:\\d+$', description: 'DEVICE/SESSION:SEQ' });
const natural = Type.Optional(Type.Integer({ minimum: 0 }));

const Query = Type.Object(
  {
    device: Type.Optional(Type.String()),
    unlabelled: flag,
    quarantined: flag,
    contradicted: flag,
    asked: flag,
    limit,
  },
  closed,
);
const NewLabel = Type.Object(
  { sample, cls: Type.String({ minLength: 1 }), source, trust: Type.Optional(share) },
  closed,
);
const Release = Type.Object({ sample }, closed);
const Withdraw = Type.Object({ sample, source }, closed);
const Import = Type.Object(
  {
    rows: Type.Array(
      Type.Object(
        {
          line: Type.Integer({ minimum: 0 }),
          device: Type.String({ minLength: 1, maxLength: 200 }),
          session: natural,
          seq: natural,
          time: Type.Optional(
            Type.Union([Type.Number({ minimum: 0 }), Type.String({ maxLength: 40 })], {
              description: 'ms since 1970, or ISO 8601 with its zone',
            }),
          ),
          cls: Type.String({ minLength: 1 }),
          source,
          trust: Type.Optional(share),
        },
        closed,
      ),
      { maxItems: 100_000 },
    ),
    source,
    withinMs: natural,
    dryRun: flag,
  },
  closed,
);
const Ask = Type.Object(
  {
    count: Type.Integer({ minimum: 1, maximum: 1000 }),
    scope: Type.Optional(Type.String({ pattern: '^(fleet|cohort:.+|device:.+)$' })),
  },
  closed,
);
const Teach = Type.Object(
  {
    file: Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$', description: 'a model, base64' }),
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]*$' }),
    minConfidence: Type.Optional(share),
    scale: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    layout: Type.Optional(Type.Enum(['samples', 'axes'])),
    classes: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
    device: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
    dryRun: flag,
  },
  closed,
);
/** A teacher in base64: 48 MB; a larger one is named in the task file. Rows of labels need less. */
const BULK_BYTES = 64 * 2 ** 20;

/**
 * Puts the calls about labels under `/api/labels`.
 *
 * @param add puts one route
 * @param calls what answers them
 */
export function addLabelRoutes(add: AddRoute, calls: Calls): void {
  add('GET', '/labels', { query: Query }, ({ query }) => calls.labels(query));
  add('GET', '/labels/sources', {}, () => calls.labelSources());
  add('POST', '/labels', { body: NewLabel }, ({ body }) => calls.addLabel(body));
  add('POST', '/labels/release', { body: Release }, ({ body }) => calls.release(body.sample));
  add('POST', '/labels/withdraw', { body: Withdraw }, ({ body }) => calls.withdrawLabel(body));
  add('POST', '/labels/import', { body: Import, bodyLimit: BULK_BYTES }, ({ body }) =>
    calls.importLabels(body),
  );
  add('POST', '/labels/ask', { body: Ask }, ({ body }) => calls.askLabels(body));
  add('POST', '/labels/teach', { body: Teach, bodyLimit: BULK_BYTES }, ({ body }) =>
    calls.teach(body),
  );
}
