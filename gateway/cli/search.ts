import { writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { boardNames, loadBoard } from '../board.ts';
import { fitBoards } from '../board-fit.ts';
import { GatewayError } from '../errors.ts';
import { unwritable } from '../named-file.ts';
import { readRecordings } from '../recordings.ts';
import { loadTask, parseTask, type Task } from '../task.ts';
import type { SearchReport, SearchRow } from '../train/search.ts';
import { completePeople, foldsOf } from '../train/search-folds.ts';
import { heed } from '../train/trainer.ts';
import { type Io, integer, progress, say, sayJson, table } from './io.ts';

interface Options {
  task: string;
  board: string;
  data: string;
  people?: string[];
  validate?: 'people' | 'time';
  labelsPerClass: number;
  seeds: number;
  out?: string;
  json?: boolean;
}

/** Labels that a stranger gives first: the example of the README's replay. */
const LABELS_PER_CLASS = 3;
/** Trainings of each finalist: three tell a lucky start from a good net. */
const SEEDS = 3;

/** `whetstone search`: the smallest net that is good enough for a board. */
export function search(program: Command, io: Io): void {
  program
    .command('search')
    .description('find the smallest model that is good enough for a board, on recordings')
    .requiredOption('--task <task>', 'a task by name, or a task file')
    .requiredOption('--board <name>', `one of ${boardNames().join(', ')}`)
    .requiredOption('--data <dir>', 'folder of recordings made before the deployment')
    .option('--people <name...>', 'whose recordings to use; default everybody')
    .addOption(
      new Option(
        '--validate <how>',
        'people: each is a stranger in turn; time: each stretch of time in turn ' +
          '(default: people where two have every class)',
      ).choices(['people', 'time']),
    )
    .option(
      '--labels-per-class <k>',
      'labels of each class that a stranger gives first',
      integer(0),
      LABELS_PER_CLASS,
    )
    .option('--seeds <s>', 'trainings of each finalist on each fold', integer(1), SEEDS)
    .option('--out <file>', 'write the task with the chosen features and net; its name stays')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone search --task gesture --board puckjs --data recordings \\' +
        '\n      --out gesture-small.json',
    )
    .action(async (options: Options) => {
      const abort = new AbortController();
      const stop = () => abort.abort();
      const bar = progress(io);
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
      for (const signal of signals) process.on(signal, stop);
      try {
        const report = await run(options, abort.signal, bar.update);
        bar.stop();
        if (options.out !== undefined) write(options.out, report.result);
        if (options.json) return sayJson(io, report);
        say(io, renderSearch(report));
        if (options.out !== undefined) say(io, `\nwritten: ${options.out}`);
      } finally {
        bar.stop();
        for (const signal of signals) process.off(signal, stop);
      }
    });
}

async function run(
  options: Options,
  signal: AbortSignal,
  onProgress: (done: number, what: string) => void,
): Promise<SearchReport> {
  const task = loadTask(options.task);
  const board = loadBoard(options.board);
  const { people } = readRecordings(options.data, task, options.people);
  const classes = task.classes.length;
  const by =
    options.validate ??
    (completePeople(people, classes).length >= 2 ? 'people' : ('time' as const));
  const { searchModels } = await import('../train/search.ts');
  const folds = foldsOf(people, classes, { by, labelsPerClass: options.labelsPerClass });
  heed(signal, 'the search');
  return searchModels({
    ...{ task, board, folds, signal, onProgress, seeds: options.seeds },
    lacks: (model, parts, of) =>
      fitBoards(model, parts, of).find((fit) => fit.board === board.name)!.why,
  });
}

/** The name stays, so that windows, labels and flashed devices of the task stay its own. */
function write(file: string, task: Task): void {
  try {
    writeFileSync(file, `${JSON.stringify(parseTask(task, file), null, 2)}\n`);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw unwritable(file, cause, { hint: 'choose another place with --out' });
  }
}

/**
 * The frontier for people: finalists first, the smallest on top, then what was dropped on the way.
 *
 * @param report what `search --json` prints
 * @returns several lines
 */
export function renderSearch(report: SearchReport): string {
  const { rows, chosen, reason, windows, folds, seeds, board, task } = report;
  const finalists = rows.filter(({ share }) => share === 1).sort(smaller);
  const dropped = rows.filter(({ share, fits }) => fits && share < 1).sort(smaller);
  const unfit = rows.filter(({ fits }) => !fits);
  const lines = [
    `${task} on ${board}: ${windows} windows judge (${folds.join(', ')}), ${seeds} trainings each`,
    '',
    table(
      ['', 'finalist', 'right', '95 %', 'bytes', 'head', 'RAM', 'MACs', 'µs', 'µJ'],
      finalists.map(cells),
    ),
    '',
    `chosen: ${chosen}: ${reason}`,
    '* nothing is better in accuracy, bytes and MACs; RAM: bytes of activations',
    `µs, µJ: ${report.estimate}`,
  ];
  const brief = ({ name, accuracy, bytes, share }: SearchRow) =>
    `${name} (${bytes} bytes, ${(100 * accuracy!).toFixed(1)} after 1/${Math.round(1 / share)})`;
  if (dropped.length > 0) {
    lines.push(
      '',
      `dropped on the way, after a part of the training: ${dropped.map(brief).join(', ')}`,
    );
  }
  for (const { name, lacks } of unfit) lines.push(`does not fit: ${name}: ${lacks.join('; ')}`);
  return lines.join('\n');
}

const smaller = (a: SearchRow, b: SearchRow) => a.bytes - b.bytes || a.macs - b.macs;

function cells(row: SearchRow): string[] {
  const percent = (share: number) => (100 * share).toFixed(1);
  const figure = (value: number | null) => (value === null ? '-' : value.toPrecision(2));
  return [
    `${row.chosen ? '→' : ' '}${row.pareto ? '*' : ' '}`,
    row.name,
    percent(row.accuracy!),
    row.interval!.map(percent).join(' to '),
    ...[row.bytes, row.parts.head, row.ramBytes, row.macs].map(String),
    figure(row.micros),
    figure(row.microjoules),
  ];
}
