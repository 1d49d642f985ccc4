import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AlarmsView, KINDS, type SilenceRequest } from '../calls.ts';
import { type Io, moment, say, table } from './io.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

interface SilenceOptions extends RemoteOptions {
  for: number;
  what?: SilenceRequest['what'];
}

const SECOND = 1000;
const UNITS: Record<string, number> = {
  ...{ s: SECOND, m: 60 * SECOND, h: 3600 * SECOND, d: 86_400 * SECOND },
};
/** What the API takes: a year. */
const LONGEST_DAYS = 366;

/** `whetstone alarms`: what is wrong; `alarms silence` and `unsilence`: who is told of it. */
export function alarms(program: Command, io: Io): void {
  const command = speaksToGateway(program.command('alarms'))
    .description('list what is wrong, or do not be told of it for a while')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone alarms\n' +
        '  $ npx whetstone alarms silence watch-3 --for 2h\n' +
        '  $ npx whetstone alarms silence fleet --for 30m --what sensor\n' +
        '  $ npx whetstone alarms unsilence watch-3',
    )
    .action((options: RemoteOptions) =>
      tell(
        io,
        options,
        (calls) => calls.alarms(),
        (answer) => say(io, list(answer)),
      ),
    );
  speaksToGateway(command.command('silence'))
    .description('tell of no alarms of a subject for a while; they are recorded and healed')
    .argument('<subject>', 'a device, cohort:NAME or fleet', subjectOf)
    .requiredOption('--for <time>', 'how long: 90s, 30m, 2h or 7d', duration)
    .addOption(kindOption())
    .addHelpText('after', '\nExample:\n  $ npx whetstone alarms silence watch-3 --for 2h')
    .action((subject: string, _, silence: Command) => {
      const { for: forMs, what, ...options } = silence.optsWithGlobals<SilenceOptions>();
      return tell(
        io,
        options,
        (calls) => calls.silence({ subject, forMs, ...(what && { what }) }),
        ({ until }) =>
          say(io, `silent until ${moment(until)}: ${what ?? 'every'} alarm of ${subject}`),
      );
    });
  speaksToGateway(command.command('unsilence'))
    .description('tell of the alarms of a subject again')
    .argument('<subject>', 'as it was silenced', subjectOf)
    .addOption(kindOption())
    .addHelpText('after', '\nExample:\n  $ npx whetstone alarms unsilence watch-3')
    .action((subject: string, _, unsilence: Command) => {
      const { what, ...options } = unsilence.optsWithGlobals<SilenceOptions>();
      return tell(
        io,
        options,
        (calls) => calls.unsilence({ subject, ...(what && { what }) }),
        () => say(io, `${subject} is told of again`),
      );
    });
}

const kindOption = (): Option =>
  new Option('--what <kind>', 'alarms of one kind; default: every kind').choices([...KINDS]);

/** A device may be named as a scope is, too. */
const subjectOf = (text: string): string => text.replace(/^device:/, '');

/** @returns milliseconds */
function duration(text: string): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const ms = count === undefined ? 0 : Number(count) * UNITS[unit];
  if (ms > 0 && ms <= LONGEST_DAYS * UNITS.d) return ms;
  throw new InvalidArgumentError(
    `It takes a time up to ${LONGEST_DAYS} days, such as 90s, 30m, 2h or 7d.`,
  );
}

function list({ alarms: open, silences }: AlarmsView): string {
  const quiet = silences.map(
    ({ subject, what, until }) =>
      `silent until ${moment(until)}: ${what ?? 'every'} alarm of ${subject}`,
  );
  if (open.length === 0) return ['nothing is wrong', ...quiet].join('\n');
  const rows = open.map((alarm) => [
    alarm.subject,
    alarm.what,
    moment(alarm.since),
    String(alarm.count),
    `${alarm.message}${alarm.devices.length > 1 ? `: ${alarm.devices.join(', ')}` : ''}`,
    alarm.silencedUntil === null ? '' : 'silenced',
  ]);
  return [table(['subject', 'kind', 'since', 'times', 'what', ''], rows), ...quiet].join('\n');
}
