import Type, { type Static } from 'typebox';

/** What every failure looks like. */
export const Failure = Type.Object(
  {
    error: Type.Object({
      code: Type.String({ description: 'the same for the same reason' }),
      message: Type.String({ description: 'one line: what is wrong' }),
      hint: Type.Optional(Type.String({ description: 'what to do about it' })),
    }),
  },
  { description: 'a failure' },
);
export type Failure = Static<typeof Failure>;
