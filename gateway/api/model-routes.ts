import Type from 'typebox';
import { type Calls, FORMATS } from '../calls.ts';
import { ExportView, ImportView, ModelView, TrainView } from '../views/model.ts';
import { RolloutView } from '../views/rollout.ts';
import { digits, scope } from './fields.ts';
import { named } from './named.ts';
import { type AddRoute, closed, gives } from './route.ts';

const ByVersion = Type.Object({ version: digits }, closed);
const Train = Type.Object({ scope }, closed);
const Rollback = Type.Object({ version: Type.Optional(digits) }, closed);
const Export = Type.Object({ format: Type.Enum([...FORMATS]) }, closed);
const Import = Type.Object(
  {
    task: Type.String({ minLength: 1, maxLength: 200, description: 'the name of a task' }),
    file: Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$', description: 'a .tflite file, base64' }),
    look: Type.Optional(Type.Boolean()),
  },
  closed,
);
/** A model file in base64: 16 MB, above what any microcontroller holds. */
const IMPORT_BYTES = 22 * 2 ** 20;

/**
 * Puts the calls about versions, what makes them and where they go under `/api`.
 *
 * @param add puts one route
 * @param calls what answers them
 */
export function addModelRoutes(add: AddRoute, calls: Calls): void {
  const rollout = gives(RolloutView, 'the rollout that began');
  add(
    'GET',
    '/models',
    {
      ...{ role: 'viewer', summary: 'Every version' },
      returns: gives(Type.Array(ModelView), 'versions, with their gate reports'),
    },
    () => calls.models(),
  );
  add(
    'GET',
    '/models/:version',
    {
      ...{ role: 'viewer', summary: 'One version', params: ByVersion },
      returns: gives(ModelView, 'the version, with its gate report'),
    },
    ({ params }) => calls.model(params.version),
  );
  add(
    'POST',
    '/models/:version/promote',
    {
      ...{ role: 'operator', summary: 'Make a version the champion of its scope' },
      ...{ params: ByVersion, returns: rollout },
    },
    ({ params, who }) => calls.promote(params.version, named(who)),
  );
  add(
    'GET',
    '/models/:version/export',
    {
      ...{ role: 'viewer', summary: 'A version as a file', params: ByVersion, query: Export },
      returns: gives(ExportView, 'the file in base64'),
    },
    ({ params, query }) => calls.exportModel(params.version, query.format),
  );
  add(
    'POST',
    '/models/import',
    {
      ...{ role: 'operator', summary: 'Register a .tflite file as a candidate' },
      ...{ body: Import, bodyLimit: IMPORT_BYTES },
      returns: gives(ImportView, 'what was found in the file'),
    },
    ({ body, who }) => calls.importModel(body, named(who)),
  );
  add(
    'POST',
    '/rollback',
    {
      ...{ role: 'operator', summary: 'Go back to the version before', body: Rollback },
      returns: rollout,
    },
    ({ body, who }) => calls.rollback(body.version, named(who)),
  );
  add(
    'POST',
    '/train',
    {
      ...{ role: 'operator', summary: 'Train for a scope now', body: Train },
      returns: gives(TrainView, 'whether something passed the gate, and why'),
    },
    ({ body, who }) => calls.train(body, named(who)),
  );
}
