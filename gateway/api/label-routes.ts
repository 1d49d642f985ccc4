import Type from 'typebox';
import type { Calls } from '../calls.ts';
import { AskView, ImportedLabels, LabelView, SourceView, TeachView } from '../views/label.ts';
import { cls, deviceId, sample, scope, source } from './fields.ts';
import { named } from './named.ts';
import { type AddRoute, closed, gives } from './route.ts';

const share = Type.Number({ minimum: 0, maximum: 1 });
const flag = Type.Optional(Type.Boolean());
const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 }));
const by = Type.Optional(source);
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
const NewLabel = Type.Object({ sample, cls, source: by, trust: Type.Optional(share) }, closed);
const Release = Type.Object({ sample }, closed);
/** Also one that is refused today: labels of an earlier time may be taken back. */
const whose = Type.String({
  ...{ minLength: 1, maxLength: 100, description: 'a source, see: whetstone labels sources' },
});
const Withdraw = Type.Object({ sample, source: Type.Optional(whose) }, closed);
const Import = Type.Object(
  {
    rows: Type.Array(
      Type.Object(
        {
          line: Type.Integer({ minimum: 0 }),
          device: deviceId,
          session: natural,
          seq: natural,
          time: Type.Optional(
            Type.Union([Type.Number({ minimum: 0 }), Type.String({ maxLength: 40 })], {
              description: 'ms since 1970, or ISO 8601 with its zone',
            }),
          ),
          cls,
          source: by,
          trust: Type.Optional(share),
        },
        closed,
      ),
      { maxItems: 100_000 },
    ),
    source: by,
    withinMs: natural,
    dryRun: flag,
  },
  closed,
);
const Ask = Type.Object(
  {
    count: Type.Integer({ minimum: 1, maximum: 1000 }),
    scope: Type.Optional(scope),
  },
  closed,
);
const Teach = Type.Object(
  {
    file: Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$', description: 'a model, base64' }),
    name: Type.String({
      pattern: '^[a-z0-9][a-z0-9._-]*$',
      description: 'what to call the teacher: small letters, digits and . _ -',
    }),
    minConfidence: Type.Optional(share),
    scale: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    layout: Type.Optional(Type.Enum(['samples', 'axes'])),
    classes: Type.Optional(Type.Array(cls, { minItems: 1 })),
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
  const view = gives(LabelView, 'the window, with the label that counts');
  add(
    'GET',
    '/labels',
    {
      ...{ role: 'viewer', summary: 'Windows with their labels, or without one', query: Query },
      returns: gives(Type.Array(LabelView), 'windows, newest first'),
    },
    ({ query }) => calls.labels(query),
  );
  add(
    'GET',
    '/labels/sources',
    {
      ...{ role: 'viewer', summary: 'How each source of labels fares' },
      returns: gives(Type.Array(SourceView), 'sources of labels'),
    },
    () => calls.labelSources(),
  );
  add(
    'POST',
    '/labels',
    { role: 'labeller', summary: 'Say what a window was', body: NewLabel, returns: view },
    ({ body, who }) => calls.addLabel(body, named(who)),
  );
  add(
    'POST',
    '/labels/release',
    {
      ...{ role: 'labeller', summary: 'Let a window count that the check set aside' },
      ...{ body: Release, returns: view },
    },
    ({ body, who }) => calls.release(body.sample, named(who)),
  );
  add(
    'POST',
    '/labels/withdraw',
    { role: 'labeller', summary: 'Take labels of a window back', body: Withdraw, returns: view },
    ({ body, who }) => calls.withdrawLabel(body, named(who)),
  );
  add(
    'POST',
    '/labels/import',
    {
      ...{ role: 'operator', summary: 'Labels in bulk', body: Import, bodyLimit: BULK_BYTES },
      returns: gives(ImportedLabels, 'what became of them, and what could not be placed'),
    },
    ({ body, who }) => calls.importLabels(body, named(who)),
  );
  add(
    'POST',
    '/labels/ask',
    {
      ...{ role: 'labeller', summary: 'Choose the windows whose labels teach most', body: Ask },
      returns: gives(AskView, 'the windows, and how many could have been chosen'),
    },
    ({ body, who }) => calls.askLabels(body, named(who)),
  );
  add(
    'POST',
    '/labels/teach',
    {
      ...{ role: 'operator', summary: 'Let a model file label stored raw windows' },
      ...{ body: Teach, bodyLimit: BULK_BYTES },
      returns: gives(TeachView, 'what it labelled'),
    },
    ({ body, who }) => calls.teach(body, named(who)),
  );
}
