import Type from 'typebox';
import type { Calls } from '../calls.ts';
import { AuditView, BackupView, Verification } from '../views/box.ts';
import { type AddRoute, closed, gives } from './route.ts';

const Noted = Type.Object(
  {
    head: Type.Optional(
      Type.String({ pattern: '^[0-9a-fA-F]{16,64}$', description: 'a hash that was noted' }),
    ),
  },
  closed,
);
const Which = Type.Object(
  {
    since: Type.Optional(
      Type.Integer({
        ...{ minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
        description: 'entries after this one',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    all: Type.Optional(Type.Boolean({ description: 'also what decides nothing' })),
  },
  closed,
);

/**
 * Puts the calls about the store as a whole under `/api`.
 *
 * @param add puts one route
 * @param calls what answers them
 */
export function addBoxRoutes(add: AddRoute, calls: Calls): void {
  add(
    'GET',
    '/verify',
    {
      ...{ role: 'viewer', summary: 'Whether the log is what was written and signed' },
      ...{ query: Noted, returns: gives(Verification, 'what was checked, and what is wrong') },
    },
    ({ query }) => calls.verify(query.head),
  );
  add(
    'GET',
    '/audit',
    {
      ...{ role: 'viewer', summary: 'What was decided, with the hash of each entry' },
      ...{ query: Which, returns: gives(AuditView, 'entries, oldest first, and the head') },
    },
    ({ query }) => calls.audit(query),
  );
  add(
    'POST',
    '/backup',
    {
      ...{ role: 'admin', summary: 'Write store and keys into one file on the box' },
      returns: gives(BackupView, 'the file, and what is in it'),
    },
    () => calls.backup(),
  );
}
