import type { FastifyInstance, FastifySchema } from 'fastify';
import Type from 'typebox';
import type { Calls } from '../calls.ts';
import { DeviceView } from '../views/device.ts';
import { GatewayEvent, Status } from '../views/status.ts';
import { addBoxRoutes } from './box-routes.ts';
import { addHistoryRoutes } from './history-routes.ts';
import { addKeyRoutes } from './key-routes.ts';
import { addLabelRoutes } from './label-routes.ts';
import { addModelRoutes } from './model-routes.ts';
import { addMonitorRoutes } from './monitor-routes.ts';
import { addPortRoutes } from './port-routes.ts';
import { addRolloutRoutes } from './rollout-routes.ts';
import { type AddRoute, closed, gives } from './route.ts';
import { addSigningRoutes } from './signing-routes.ts';
import { addTokenRoutes } from './token-routes.ts';
import { addWindowRoutes } from './window-routes.ts';

const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 }));
const ById = Type.Object({ id: Type.String({ maxLength: 200 }) }, closed);
const EventQuery = Type.Object(
  { since: Type.Optional(Type.Integer({ minimum: 0 })), limit },
  closed,
);

/**
 * Puts every call but the live events under `/api`.
 *
 * @param app where the routes go
 * @param calls what answers them
 */
export function addRoutes(app: FastifyInstance, calls: Calls): void {
  const add: AddRoute = (method, url, route, answer) => {
    const { role, summary, params, query, body, returns, bodyLimit } = route;
    const schema: FastifySchema = {
      ...{ summary, response: { 200: returns } },
      ...(params && { params }),
      querystring: query ?? Type.Object({}, closed),
      ...(body && { body }),
    };
    app.route({
      ...{ method, url: `/api${url}`, schema, config: { role } },
      ...(bodyLimit !== undefined && { bodyLimit }),
      handler: async (request): Promise<unknown> =>
        answer({
          params: request.params as never,
          query: request.query as never,
          body: request.body as never,
          who: request.caller!,
        }),
    });
  };

  addFleetRoutes(add, calls);
  addModelRoutes(add, calls);
  addSigningRoutes(add, calls);
  addKeyRoutes(add, calls);
  addLabelRoutes(add, calls);
  addMonitorRoutes(add, calls);
  addRolloutRoutes(add, calls);
  addWindowRoutes(add, calls);
  addHistoryRoutes(add, calls);
  addTokenRoutes(add, calls);
  addBoxRoutes(add, calls);
  addPortRoutes(add, calls);
}

function addFleetRoutes(add: AddRoute, calls: Calls): void {
  add(
    'GET',
    '/status',
    {
      ...{ role: 'viewer', summary: 'The gateway at a glance' },
      returns: gives(Status, 'devices, rollouts, training and store'),
    },
    () => calls.status(),
  );
  add(
    'GET',
    '/devices',
    { role: 'viewer', summary: 'Every device', returns: gives(Type.Array(DeviceView), 'devices') },
    () => calls.devices(),
  );
  add(
    'GET',
    '/devices/:id',
    {
      ...{ role: 'viewer', summary: 'One device', params: ById },
      returns: gives(DeviceView, 'the device'),
    },
    ({ params }) => calls.device(params.id),
  );
  add(
    'GET',
    '/events',
    {
      ...{ role: 'viewer', summary: 'What happened, oldest first', query: EventQuery },
      returns: gives(Type.Array(GatewayEvent), 'events after `since`; without it the newest'),
    },
    ({ query }) => calls.events(query),
  );
}
