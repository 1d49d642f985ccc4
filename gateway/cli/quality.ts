import type { Command } from 'commander';
import type { QualityView } from '../calls.ts';
import { checkScope, type Io, say, share, table } from './io.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

/** `whetstone quality`: how well a scope does, measured by labels and estimated without. */
export function quality(program: Command, io: Io): void {
  speaksToGateway(program.command('quality'))
    .description('say how well devices do: measured by labels, estimated without')
    .argument('[scope]', 'fleet, cohort:NAME or device:ID', 'fleet')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone quality\n  $ npx whetstone quality device:watch-1',
    )
    .action((scope: string, options: RemoteOptions, command: Command) => {
      checkScope(command, scope);
      return tell(
        io,
        options,
        (calls) => calls.quality(scope),
        (answer) => say(io, about(answer)),
      );
    });
}

/** The line about the accuracy as labels show it. */
export function measuredText(measured: QualityView['measured']): string {
  return measured === null
    ? 'no labels yet'
    : `${range(measured)} on ${measured.labels} labelled windows`;
}

/** The line about the accuracy as scores let expect it. */
export function estimatedText(estimated: QualityView['estimated']): string {
  if (estimated === null) return 'too few windows yet';
  const { past, windows } = estimated;
  const off = past === null ? '' : `; off by ${share(past.meanError)} so far`;
  return `${range(estimated)} on ${windows} windows, by their margins${off}`;
}

const range = ({ accuracy, low, high }: { accuracy: number; low: number; high: number }): string =>
  `${share(accuracy)} (${share(low)} to ${share(high)})`;

function about({ scope, measured, estimated, ...rest }: QualityView): string {
  const { classes, calibrationError, witnesses } = rest;
  const lines = [
    `scope        ${scope}`,
    `measured     ${measuredText(measured)}`,
    `estimated    ${estimatedText(estimated)}`,
    `calibration  ${calibrationError === null ? '-' : `confidence off by ${share(calibrationError)} in the mean`}`,
  ];
  const rows = classes.map(({ cls, recall, precision, truths, saids }) => [
    ...[cls, share(recall), share(precision), String(truths), String(saids)],
  ]);
  if (rows.length > 0) {
    lines.push('', table(['class', 'recall', 'precision', 'were it', 'said it'], rows));
  }
  const devices = witnesses.map(({ device, evidence, sensor, missing }) => [
    ...[device, evidence, sensor, share(missing)],
  ]);
  lines.push('', table(['device', 'without labels', 'sensor', 'windows lost'], devices));
  return lines.join('\n');
}
