import Type from 'typebox';
import type { Calls } from '../calls.ts';
import { RolloutView } from '../views/rollout.ts';
import { reason } from './fields.ts';
import { named } from './named.ts';
import { type AddRoute, closed, gives } from './route.ts';

const id = Type.String({ minLength: 1, maxLength: 200, description: 'the id of a rollout' });
const ById = Type.Object({ id }, closed);
const Approve = Type.Object({}, closed);
const Stop = Type.Object({ reason: Type.Optional(reason) }, closed);

/**
 * Puts the calls about rollouts under `/api`.
 *
 * @param add puts one route
 * @param calls what answers them
 */
export function addRolloutRoutes(add: AddRoute, calls: Calls): void {
  add(
    'GET',
    '/rollouts',
    {
      role: 'viewer',
      summary: 'Every rollout',
      returns: gives(Type.Array(RolloutView), 'rollouts'),
    },
    () => calls.rollouts(),
  );
  add(
    'GET',
    '/rollouts/:id',
    {
      ...{ role: 'viewer', summary: 'One rollout, with every device', params: ById },
      returns: gives(RolloutView, 'the rollout'),
    },
    ({ params }) => calls.rollout(params.id),
  );
  add(
    'POST',
    '/rollouts/:id/approve',
    {
      ...{ role: 'operator', summary: 'Let a rollout go on whose canaries have passed' },
      ...{ params: ById, body: Approve },
      returns: gives(RolloutView, 'the rollout, on its way to the rest'),
    },
    ({ params, who }) => calls.approveRollout(params.id, named(who)),
  );
  add(
    'POST',
    '/rollouts/:id/stop',
    {
      ...{ role: 'operator', summary: 'End a rollout, and take back what went out' },
      ...{ params: ById, body: Stop },
      returns: gives(RolloutView, 'the rollout, on its way back'),
    },
    ({ params, body, who }) => calls.stopRollout(params.id, body, named(who)),
  );
}
