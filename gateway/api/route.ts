import type { Static, TSchema } from 'typebox';
import type { Role } from '../roles.ts';
import type { Caller } from '../views/token.ts';

/** What a route is told, after its schema has accepted it and its role has been asked for. */
export interface Asked<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  /** who asks, for what is written into the log */
  who: Caller;
}

/** What a route is for, who may, what it takes and what it gives. All of it stands in the OpenAPI document. */
export interface Route<P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema> {
  /** the least role that may */
  role: Role;
  /** one line: what it does */
  summary: string;
  params?: P;
  query?: Q;
  body?: B;
  /** what the answer looks like */
  returns: R;
  /** longest body, where it is not the server's */
  bodyLimit?: number;
}

/** Puts one route under `/api`; what it is asked has been checked by its schemas. */
export type AddRoute = <P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema>(
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  route: Route<P, Q, B, R>,
  answer: (asked: Asked<Static<P>, Static<Q>, Static<B>>) => Promise<Static<R>>,
) => void;

/** Of a schema: a field that is not named in it is refused. */
export const closed = { additionalProperties: false } as const;

/**
 * The schema of an answer.
 *
 * @param schema of a view
 * @param description one line for people: what it is of this route
 */
export function gives<T extends TSchema>(schema: T, description: string): T {
  return { ...schema, description };
}
