import Type from 'typebox';
import { type Calls, KINDS } from '../calls.ts';
import type { AddRoute } from './route.ts';

const closed = { additionalProperties: false } as const;
const subject = Type.String({ pattern: '^\\S+$', maxLength: 200 });
const what = Type.Optional(Type.Enum([...KINDS]));
/** A year: who wants to hear nothing for longer removes the device. */
const longestMs = 366 * 24 * 3600 * 1000;
const Silence = Type.Object(
  { subject, what, forMs: Type.Integer({ minimum: 1, maximum: longestMs }) },
  closed,
);
const Unsilence = Type.Object({ subject, what }, closed);
const Quality = Type.Object(
  { scope: Type.String({ pattern: '^(fleet|cohort:.+|device:.+)$' }) },
  closed,
);

/**
 * Puts the calls about alarms and quality under `/api`.
 *
 * @param add puts one route
 * @param calls what answers them
 */
export function addMonitorRoutes(add: AddRoute, calls: Calls): void {
  add('GET', '/alarms', {}, () => calls.alarms());
  add('POST', '/alarms/silence', { body: Silence }, ({ body }) => calls.silence(body));
  add('POST', '/alarms/unsilence', { body: Unsilence }, ({ body }) => calls.unsilence(body));
  add('GET', '/quality', { query: Quality }, ({ query }) => calls.quality(query.scope));
}
