import type { Command } from 'commander';
import { type Io, integer, say } from './io.ts';
import { listLabels, voices } from './label-table.ts';
import { labelVerbs, sampleId } from './label-verbs.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

interface ListOptions extends RemoteOptions {
  device?: string;
  unlabelled?: boolean;
  quarantined?: boolean;
  contradicted?: boolean;
  asked?: boolean;
  limit: number;
}

interface AddOptions extends RemoteOptions {
  pin?: boolean;
  by?: string;
}

/** `whetstone labels`: the list; `labels add`: one more; and what {@link labelVerbs} adds. */
export function labels(program: Command, io: Io): void {
  const command = speaksToGateway(program.command('labels'))
    .description('list the labels of a running gateway; add, import, withdraw, ask for, teach them')
    .option('--device <id>', 'of one device')
    .option('--unlabelled', 'windows that have no label yet')
    .option('--quarantined', 'windows that the check set aside')
    .option('--contradicted', 'windows that sources name differently, with what each says')
    .option('--asked', 'windows whose label was asked for and has not come')
    .option('--limit <n>', 'the newest n', integer(1, 1000), 20)
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone labels --device watch-1\n' +
        '  $ npx whetstone labels --unlabelled\n' +
        '  $ npx whetstone labels add watch-1 81:17 waggle',
    )
    .action(({ device, unlabelled, quarantined, contradicted, asked, ...rest }: ListOptions) => {
      const { limit, ...options } = rest;
      return tell(
        io,
        options,
        async (calls) => ({
          labels: await calls.labels({
            device,
            limit,
            ...(unlabelled && { unlabelled }),
            ...(quarantined && { quarantined }),
            ...(contradicted && { contradicted }),
            ...(asked && { asked }),
          }),
        }),
        (answer) => {
          say(io, listLabels(answer.labels));
          if (contradicted) for (const label of answer.labels) say(io, voices(label));
        },
      );
    });
  speaksToGateway(command.command('add'))
    .description('say what a stored window was')
    .usage('[options] DEVICE SESSION:SEQ CLASS, or DEVICE/SESSION:SEQ CLASS')
    .argument('<device>', 'the device, or a whole sample id')
    .argument('[sample]', 'SESSION:SEQ of the window')
    .argument('[class]', 'one of the classes of the task; for a number its value, in units')
    .option('--pin', 'no later model of this device may get the window wrong')
    .option('--by <name>', 'who says so: two persons have two voices')
    .addHelpText('after', '\nExample:\n  $ npx whetstone labels add watch-1 81:17 waggle')
    .action(
      (device: string, second: string | undefined, third: string | undefined, _, add: Command) => {
        if (second === undefined || (third === undefined && /^\d+:\d+$/.test(second))) {
          add.error('whetstone: the class is missing: labels add DEVICE SESSION:SEQ CLASS');
        }
        const sample = third === undefined ? device : `${device}/${second}`;
        if (!/^\S+\/\d+:\d+$/.test(sample)) {
          add.error(`whetstone: '${sample}' is no sample: it takes DEVICE SESSION:SEQ CLASS`);
        }
        const cls = third ?? second;
        const { pin, by } = add.opts<AddOptions>();
        if (by !== undefined && !/\S/.test(by))
          add.error('whetstone: --by takes a name, such as ann');
        const person = by === undefined ? 'person' : `person:${by}`;
        const source = pin ? 'must-pass' : person;
        return tell(
          io,
          add.optsWithGlobals<RemoteOptions>(),
          (calls) => calls.addLabel({ sample, cls, source }),
          (label) => {
            const said = label.predicted === null ? '' : ` (the device said ${label.predicted})`;
            say(io, `${label.sample} is ${label.cls}${said}`);
            if (label.contradicted.length > 0 && label.source !== source)
              say(io, `${cls} was noted and does not count; ${voices(label)}`);
          },
        );
      },
    );
  speaksToGateway(command.command('release'))
    .description('let a window that the check set aside count again')
    .argument('<sample>', 'DEVICE/SESSION:SEQ', sampleId)
    .action((sample: string, _, release: Command) =>
      tell(
        io,
        release.optsWithGlobals<RemoteOptions>(),
        (calls) => calls.release(sample),
        (label) => say(io, `${label.sample} counts again`),
      ),
    );
  labelVerbs(command, io);
}
