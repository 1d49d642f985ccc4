import Type, { type Static } from 'typebox';
import { ROLES } from '../roles.ts';
import { count, time } from './schema.ts';
import { GatewayEvent } from './status.ts';
import { WindowView } from './window.ts';

/** What a live connection tells, a JSON object a message. */
export const LiveMessage = Type.Union(
  [
    Type.Object({
      type: Type.Enum(['hello']),
      lastEvent: count('id of the newest event'),
      at: time('now'),
      role: Type.Enum([...ROLES]),
    }),
    Type.Object({ type: Type.Enum(['event']), event: GatewayEvent }),
    Type.Object({ type: Type.Enum(['window']), window: WindowView }),
    Type.Object({
      type: Type.Enum(['skipped']),
      windows: count('that the reader was not told of: it was slow'),
    }),
  ],
  { description: 'messages, each a JSON object' },
);
export type LiveMessage = Static<typeof LiveMessage>;

/** Whether a gateway can do its work. */
export const Readiness = Type.Object({
  ready: Type.Boolean(),
  problems: Type.Array(Type.String(), { description: 'why not, one line each' }),
});
export type Readiness = Static<typeof Readiness>;
