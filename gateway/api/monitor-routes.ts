import Type from 'typebox';
import { type Calls, KINDS } from '../calls.ts';
import { AlarmsView, QualityView, SilenceView, UnsilencedView } from '../views/monitor.ts';
import { scope } from './fields.ts';
import { named } from './named.ts';
import { type AddRoute, closed, gives } from './route.ts';

const subject = Type.String({
  ...{ pattern: '^\\S+$', maxLength: 200, description: 'a device, cohort:NAME or fleet' },
});
const what = Type.Optional(Type.Enum([...KINDS]));
/** A year: who wants to hear nothing for longer removes the device. */
const longestMs = 366 * 24 * 3600 * 1000;
const Silence = Type.Object(
  { subject, what, forMs: Type.Integer({ minimum: 1, maximum: longestMs }) },
  closed,
);
const Unsilence = Type.Object({ subject, what }, closed);
const Quality = Type.Object({ scope }, closed);

/**
 * Puts the calls about alarms and quality under `/api`.
 *
 * @param add puts one route
 * @param calls what answers them
 */
export function addMonitorRoutes(add: AddRoute, calls: Calls): void {
  const alarms = gives(AlarmsView, 'alarms that last, and silences');
  const summary = 'What is wrong now, and who does not want to hear of it';
  add('GET', '/alarms', { role: 'viewer', summary, returns: alarms }, () => calls.alarms());
  add(
    'POST',
    '/alarms/silence',
    {
      ...{ role: 'operator', summary: 'Tell no more of alarms for a while', body: Silence },
      returns: gives(SilenceView, 'the silence'),
    },
    ({ body, who }) => calls.silence(body, named(who)),
  );
  add(
    'POST',
    '/alarms/unsilence',
    {
      ...{ role: 'operator', summary: 'End silences', body: Unsilence },
      returns: gives(UnsilencedView, 'how many ended'),
    },
    ({ body, who }) => calls.unsilence(body, named(who)),
  );
  add(
    'GET',
    '/quality',
    {
      ...{ role: 'viewer', summary: 'How well the devices of a scope do', query: Quality },
      returns: gives(QualityView, 'measured where labels came, estimated where none did'),
    },
    ({ query }) => calls.quality(query.scope),
  );
}
