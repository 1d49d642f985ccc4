import Type, { type Static } from 'typebox';
import { FORMATS } from '../formats.ts';
import type { GateReport } from '../train/gate-report.ts';
import { ModelSummary } from '../train/model-summary.ts';
import { count, oneOf, orNull, text, time, version } from './schema.ts';

/** Where the rollout of a version stands. */
const Way = Type.Object({
  id: Type.String(),
  stage: text("'canary', 'awaiting-approval', 'rest', 'settled', 'returning' or 'returned'"),
  devices: count('that it is for'),
  confirmed: count('of them that have it for good'),
});

const part = oneOf(['pre', 'backbone', 'head'], 'which piece of the model');

/** A registered version. */
export const ModelView = Type.Object({
  version,
  parent: orNull(Type.String(), 'the version that it came from; null for a first one'),
  scope: Type.String(),
  stage: text(
    "of the registry: 'candidate', 'trial', 'champion', 'retired', 'rejected' or 'rolledback'",
  ),
  rollout: orNull(Way, 'null where none brought it, or another one has taken over since'),
  release: count('the newest that it was given; 0 before'),
  rung: orNull(Type.String(), 'how much of it was trained anew'),
  createdAt: time('when it was registered'),
  parts: Type.Array(Type.Object({ part, id: text('SHA-256, hex'), bytes: count('of the part') })),
  gate: Type.Unsafe<GateReport | { imported: unknown } | null>({
    description: "the gate's report, as stored with the version",
  }),
});
export type ModelView = Static<typeof ModelView>;

/** What a training came to. */
export const TrainView = Type.Object({
  scope: Type.String(),
  released: Type.Boolean(),
  version: orNull(Type.String(), 'null where nothing was made'),
  rung: orNull(Type.String(), 'how much of it was trained anew'),
  reason: Type.String(),
  trainMs: Type.Number(),
  although: Type.Array(Type.String(), {
    description:
      'limits of the budget that were crossed: what is asked for by hand does not wait for them',
  }),
});
export type TrainView = Static<typeof TrainView>;

/** A version as a file. */
export const ExportView = Type.Object({
  version,
  format: Type.Enum([...FORMATS]),
  file: text('the file, base64'),
});
export type ExportView = Static<typeof ExportView>;

/** What an import found, whether or not it was registered. */
export const ImportReport = Type.Object({
  ...ModelSummary.properties,
  file: text('SHA-256 of the file, hex'),
  exported: Type.Boolean({
    description:
      'whether the file came out of `export` as it is: then its version is the exported one',
  }),
  notes: Type.Array(Type.String(), {
    description: 'what was made of the file otherwise than it stands there',
  }),
  parts: Type.Array(Type.Object({ part, bytes: count('of the part') })),
  boards: Type.Array(
    Type.Object({ board: Type.String(), fits: Type.Boolean(), why: Type.Array(Type.String()) }),
  ),
});
export type ImportReport = Static<typeof ImportReport>;

export const ImportView = Type.Object({
  version: orNull(version, 'null after a look'),
  report: ImportReport,
});
export type ImportView = Static<typeof ImportView>;
