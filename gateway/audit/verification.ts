import Type, { type Static } from 'typebox';

const none = Type.Null();

/** Something that is not as it was written or signed. */
export const Problem = Type.Object({
  what: Type.Enum(['log', 'head', 'key', 'model', 'release', 'stage', 'token'], {
    description: "what it is about; 'log' for the chain",
  }),
  entry: Type.Union([Type.Integer(), none], {
    description: 'the first bad entry of the log, where it is about the log',
  }),
  why: Type.String({ description: 'for people' }),
});
export type Problem = Static<typeof Problem>;

/** What a check of the past found. */
export const Verification = Type.Object({
  ok: Type.Boolean(),
  entries: Type.Integer(),
  head: Type.Object(
    { entry: Type.Integer(), hash: Type.String() },
    { description: 'the newest entry, and its hash in hex: to be noted elsewhere' },
  ),
  signed: Type.Union(
    [Type.Object({ entry: Type.Integer(), signer: Type.String(), at: Type.Number() }), none],
    { description: 'up to which entry the log is signed, by which key, and when' },
  ),
  models: Type.Integer(),
  releases: Type.Integer(),
  keys: Type.Integer(),
  problems: Type.Array(Problem),
  notes: Type.Array(Type.String(), { description: 'what is no problem and should be known' }),
});
export type Verification = Static<typeof Verification>;
