import Type from 'typebox';
import type { Calls } from '../calls.ts';
import { HistoryView } from '../views/history.ts';
import { scope } from './fields.ts';
import { type AddRoute, closed, gives } from './route.ts';

const moment = Type.Optional(
  Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000, description: 'ms since 1970' }),
);
const Query = Type.Object(
  {
    scope: Type.Optional(scope),
    from: moment,
    to: moment,
    points: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  },
  closed,
);

/**
 * Puts the call about what was under `/api`.
 *
 * @param add puts one route
 * @param calls what answers it
 */
export function addHistoryRoutes(add: AddRoute, calls: Calls): void {
  add(
    'GET',
    '/history',
    {
      ...{ role: 'viewer', summary: 'Accuracy and drift over time, with what happened' },
      query: Query,
      returns: gives(HistoryView, 'points in equal steps, and marks'),
    },
    ({ query }) => calls.history(query),
  );
}
