import type { Command } from 'commander';
import type { LabelView } from '../calls.ts';
import { type Io, integer, moment, say, table } from './io.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

interface ListOptions extends RemoteOptions {
  device?: string;
  unlabelled?: boolean;
  quarantined?: boolean;
  limit: number;
}

interface AddOptions extends RemoteOptions {
  pin?: boolean;
}

/** `whetstone labels`: the list; `labels add`: one more. */
export function labels(program: Command, io: Io): void {
  const command = speaksToGateway(program.command('labels'))
    .description('list the labels of a running gateway, or add one')
    .option('--device <id>', 'of one device')
    .option('--unlabelled', 'windows that have no label yet')
    .option('--quarantined', 'windows that the check set aside')
    .option('--limit <n>', 'the newest n', integer(1), 20)
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone labels --device watch-1\n' +
        '  $ npx whetstone labels --unlabelled\n' +
        '  $ npx whetstone labels add watch-1 81:17 waggle',
    )
    .action(({ device, unlabelled, quarantined, limit, ...options }: ListOptions) =>
      tell(
        io,
        options,
        async (calls) => ({
          labels: await calls.labels({
            device,
            limit,
            ...(unlabelled && { unlabelled }),
            ...(quarantined && { quarantined }),
          }),
        }),
        (answer) => say(io, list(answer.labels)),
      ),
    );
  speaksToGateway(command.command('add'))
    .description('say what a stored window was')
    .usage('[options] DEVICE SESSION:SEQ CLASS, or DEVICE/SESSION:SEQ CLASS')
    .argument('<device>', 'the device, or a whole sample id')
    .argument('<sample>', 'SESSION:SEQ of the window')
    .argument('[class]', 'one of the classes of the task')
    .option('--pin', 'no later model of this device may get the window wrong')
    .addHelpText('after', '\nExample:\n  $ npx whetstone labels add watch-1 81:17 waggle')
    .action((device: string, second: string, third: string | undefined, _, add: Command) => {
      if (third === undefined && /^\d+:\d+$/.test(second)) {
        add.error('whetstone: the class is missing: labels add DEVICE SESSION:SEQ CLASS');
      }
      const sample = third === undefined ? device : `${device}/${second}`;
      if (!/^\S+\/\d+:\d+$/.test(sample)) {
        add.error(`whetstone: '${sample}' is no sample: it takes DEVICE SESSION:SEQ CLASS`);
      }
      const cls = third ?? second;
      return tell(
        io,
        add.optsWithGlobals<RemoteOptions>(),
        (calls) => {
          const source = add.opts<AddOptions>().pin ? 'must-pass' : 'person';
          return calls.addLabel({ sample, cls, source });
        },
        (label) => {
          const said = label.predicted === null ? '' : ` (the device said ${label.predicted})`;
          say(io, `${label.sample} is ${label.cls}${said}`);
        },
      );
    });
  speaksToGateway(command.command('release'))
    .description('let a window that the check set aside count again')
    .argument('<sample>', 'DEVICE/SESSION:SEQ')
    .action((sample: string, _, release: Command) =>
      tell(
        io,
        release.optsWithGlobals<RemoteOptions>(),
        (calls) => calls.release(sample),
        (label) => say(io, `${label.sample} counts again`),
      ),
    );
}

function list(labels: LabelView[]): string {
  if (labels.length === 0) return 'none yet';
  return table(
    ['sample', 'class', 'device said', 'source', 'at', 'set aside'],
    labels.map((label) => [
      label.sample,
      label.cls ?? '-',
      label.predicted ?? '-',
      label.source ?? '-',
      moment(label.at),
      label.quarantine ?? '',
    ]),
  );
}
