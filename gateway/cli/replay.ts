import { type Command, Option } from 'commander';
import type {
  DeviceStages,
  ReplayOptions,
  ReplayReport,
  ReplayStages,
  StageTime,
} from '../report.ts';
import { heed } from '../train/trainer.ts';
import { shortVersion } from '../ui/words.ts';
import { type Io, integer, progress, say, sayJson, share, table } from './io.ts';

interface Options extends Omit<ReplayOptions, 'signal' | 'onProgress'> {
  json?: boolean;
}

/** `whetstone replay`: the whole loop over recordings, then a report. */
export function replay(program: Command, io: Io): void {
  program
    .command('replay')
    .description('run the whole loop over recordings with virtual devices, then report')
    .requiredOption('--task <task>', 'a task by name, or a task file')
    .requiredOption('--data <dir>', 'folder of recordings: DIR/PERSON/*.txt')
    .option('--from <person>', 'whose recordings train the first model')
    .option('--to <person>', 'whose recordings come after the shift')
    .addOption(
      new Option(
        '--labels-per-class <k>',
        'labels given for each class; without any nothing is learnt',
      )
        .argParser(integer(0))
        .conflicts('labels'),
    )
    .option('--labels <n>', 'labels given in all', integer(0))
    .addOption(
      new Option('--select <how>', 'which windows get the labels, with --labels')
        .choices(['active', 'random'])
        .default('random'),
    )
    .option('--seeds <s>', 'repeat with seeds 1 to s', integer(1), 1)
    .addOption(
      new Option('--scope <scope>', 'whom the new head serves')
        .choices(['fleet', 'cohort', 'device'])
        .default('device'),
    )
    .option(
      '--devices <n>',
      'so many devices that all change their wearer (default: one does, one does not)',
      integer(1, 64),
    )
    .option('--espruino <path>', 'put one real Espruino process among the devices')
    .addOption(
      new Option('--speed <speed>', 'as fast as it goes, or as it was recorded')
        .choices(['max', 'real'])
        .default('max'),
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone replay --task gesture --data recordings \\' +
        '\n      --from ann --to bob --labels-per-class 3 --seeds 10',
    )
    .action(async ({ json, ...options }: Options) => {
      const abort = new AbortController();
      const stop = () => abort.abort();
      const bar = progress(io);
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
      for (const signal of signals) process.on(signal, stop);
      try {
        const { replay: run } = await import('../replay/replay.ts');
        const report = await run({
          ...options,
          signal: abort.signal,
          onProgress: (done, what) => bar.update(done, what),
        });
        bar.stop();
        if (json) sayJson(io, report);
        else say(io, renderReport(report));
      } catch (error) {
        // a terminal's Ctrl-C ends Espruino as well; that is not what went wrong
        heed(abort.signal, 'the replay');
        throw error;
      } finally {
        bar.stop();
        for (const signal of signals) process.off(signal, stop);
      }
    });
}

const NO_LABELS =
  'NO LABELS WERE GIVEN: there were none to learn from\n' +
  'give some: --labels-per-class 3, or --labels 12 --select active';

/** Lines that a report lists before it only counts the rest. */
const SHOWN_LINES = 20;

/**
 * The report of a replay for people.
 *
 * @param report what `replay --json` prints
 * @returns several lines
 */
export function renderReport(report: ReplayReport): string {
  const { accuracy, drift, samples, selfTests, rollouts, perSeed, espruino } = report;
  const seeds = perSeed.length === 1 ? 'one seed' : `${perSeed.length} seeds`;
  const delay = drift.alarmDelayWindows;
  const lines = [
    `${report.task}: ${report.from} → ${report.to}, ${report.windows} windows, ${round(report.labelsUsed)} labels, ${seeds}`,
    '',
    table(
      ['accuracy', 'mean', 'lowest', 'highest'],
      [
        ['own recordings', ...spread(report, 'trained')],
        ['after the shift', ...spread(report, 'shifted')],
        ['after the update', ...spread(report, 'updated')],
      ],
    ),
    '',
    `labels to 0.90     ${report.labelsTo90 === null ? 'not reached' : round(report.labelsTo90)}`,
    `alarm              ${delay === null ? 'none' : `${round(delay)} windows after the shift`}, ${round(drift.falseAlarms)} false`,
    `rollouts           ${round(rollouts.updated)} updated, ${round(rollouts.reverted)} reverted`,
    `samples            ${samples.lost} lost, ${samples.duplicated} duplicated`,
    `self-tests         ${selfTests.equal} equal, ${selfTests.different} different`,
  ];
  if (espruino !== undefined) {
    lines.push(
      `real Espruino      ${espruino.windows} windows, ${espruino.different} predictions different`,
    );
  }
  if (report.updates.length > 0) lines.push('', updateTable(report));
  if (report.stages.longest !== null) lines.push('', stageText(report.stages));
  lines.push('', unusableText(report));
  if (report.labelsUsed === 0) lines.push('', NO_LABELS);
  if (accuracy.updated < accuracy.shifted) lines.push('', 'THE UPDATE MADE IT WORSE');
  return lines.join('\n');
}

function spread(report: ReplayReport, key: 'trained' | 'shifted' | 'updated'): string[] {
  const all = report.perSeed.map((seed) => seed.accuracy[key]);
  return [report.accuracy[key], Math.min(...all), Math.max(...all)].map(share);
}

function updateTable(report: ReplayReport): string {
  return table(
    ['update', 'for', 'rung', 'training', 'on the wire', 'whole model', '.tflite', ''],
    report.updates.map((update) => [
      shortVersion(update.version),
      update.scope,
      update.rung,
      `${round(update.trainMs)} ms`,
      String(update.wireBytes),
      String(update.modelBytes),
      String(update.tfliteBytes),
      update.released ? 'released' : 'refused by the gate',
    ]),
  );
}

/** Time in seconds, with a digit more where it is short. */
const seconds = (ms: number): string => (ms / 1000).toFixed(ms < 1000 ? 3 : 1);

/** The way of each device to its update in the devices' time, the means, and the longest stage. */
function stageText({ devices, mean, longest }: ReplayStages): string {
  const [first] = devices;
  const shown = devices.filter(({ seed }) => seed === first?.seed);
  const time = (of: DeviceStages, { stage }: StageTime): string => {
    const found = of.stages.find((one) => one.stage === stage);
    return found === undefined ? '-' : seconds(found.virtualMs);
  };
  const head = ['seconds', ...shown.map(({ device }) => device), 'mean', 'on this computer'];
  const rows = mean.map((one) => [
    ...[one.stage, ...shown.map((of) => time(of, one))],
    ...[seconds(one.virtualMs), seconds(one.wallMs)],
  ]);
  const late = devices.filter(({ isConfirmed }) => !isConfirmed).length;
  return [
    table(head, rows),
    '',
    `longest            ${longest!.virtual.why}`,
    `                   ${longest!.wall.why}`,
    ...(late > 0 ? [`not confirmed      ${late} of ${devices.length} devices`] : []),
  ].join('\n');
}

function unusableText({ unusable, ignored }: ReplayReport): string {
  const lines = unusable
    .slice(0, SHOWN_LINES)
    .map(({ file, line, reason }) => `  ${file}:${line}: ${reason}`);
  const more = unusable.length - SHOWN_LINES;
  if (more > 0) lines.push(`  … and ${more} more, in --json`);
  const first = `recordings         ${unusable.length} lines unusable, ${ignored} windows of ignored labels`;
  return [first, ...lines].join('\n');
}

const round = (value: number) => String(Math.round(value * 10) / 10);
