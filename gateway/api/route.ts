import type { Static, TSchema } from 'typebox';

/** What a route is told, after its schema has accepted it. */
export interface Asked<P, Q, B> {
  params: P;
  query: Q;
  body: B;
}

/** What a route takes. */
export interface Route<P extends TSchema, Q extends TSchema, B extends TSchema> {
  params?: P;
  query?: Q;
  body?: B;
  /** longest body, where it is not the server's */
  bodyLimit?: number;
}

/** Puts one route under `/api`; what it is asked has been checked by its schemas. */
export type AddRoute = <P extends TSchema, Q extends TSchema, B extends TSchema>(
  method: 'GET' | 'POST',
  url: string,
  route: Route<P, Q, B>,
  answer: (asked: Asked<Static<P>, Static<Q>, Static<B>>) => Promise<unknown>,
) => void;
