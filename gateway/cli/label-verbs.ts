import { basename, extname } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { AskView, ImportedLabels, SourceView, TeachView } from '../calls.ts';
import { readLabelCsv } from '../label-csv.ts';
import { readNamed } from '../named-file.ts';
import { checkScope, type Io, integer, say, share, table } from './io.ts';
import { listLabels } from './label-table.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

interface ImportOptions {
  source?: string;
  within: number;
  dryRun?: boolean;
}
interface AskOptions {
  scope: string;
}
interface TeachOptions {
  teacher?: string;
  device?: string;
  limit: number;
  minConfidence: number;
  scale: number;
  layout: 'samples' | 'axes';
  classes?: string[];
  dryRun?: boolean;
}

/** Lines that are told one by one; more of them would hide the sum. */
const TOLD = 20;

/** An argument that names a window. */
export function sampleId(text: string): string {
  if (/^\S+\/\d+:\d+$/.test(text)) return text;
  throw new InvalidArgumentError('It takes DEVICE/SESSION:SEQ, see: whetstone labels');
}

/** Adds `labels withdraw`, `import`, `sources`, `ask` and `teach`. */
export function labelVerbs(command: Command, io: Io): void {
  speaksToGateway(command.command('withdraw'))
    .description('take labels of a window back; they are kept, and count no more')
    .argument('<sample>', 'DEVICE/SESSION:SEQ', sampleId)
    .option('--source <name>', 'only what this source says: person, must-pass, teacher:NAME …')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone labels withdraw watch-1/81:17 --source must-pass',
    )
    .action((sample: string, { source }: { source?: string }, verb: Command) =>
      tell(
        io,
        verb.optsWithGlobals<RemoteOptions>(),
        (calls) => calls.withdrawLabel({ sample, ...(source !== undefined && { source }) }),
        (label) => say(io, `${label.sample} ${now(label.cls, label.source)}`),
      ),
    );
  speaksToGateway(command.command('import'))
    .description('add the labels of a CSV file: what is true, and was known later')
    .argument('<file>', 'device,session,seq,class or device,time,class; also source, trust')
    .option('--source <name>', "of lines that name none; default 'delayed'")
    .option('--within <ms>', 'how far the nearest window may be from a time', integer(0), 2000)
    .option('--dry-run', 'only say what would become of them')
    .addHelpText(
      'after',
      '\nA file that was imported changes nothing when it is imported again.\n' +
        '\nExample:\n  $ npx whetstone labels import lab-results.csv --within 500 --dry-run',
    )
    .action((file: string, { source, within, dryRun }: ImportOptions, verb: Command) => {
      const { rows, refused } = readLabelCsv(readNamed(file).toString('utf8'));
      return tell(
        io,
        verb.optsWithGlobals<RemoteOptions>(),
        async (calls) => {
          const named = source === undefined ? {} : { source };
          const options = { ...named, withinMs: within, dryRun: dryRun === true };
          const done = await calls.importLabels({ rows, ...options });
          const all = [...refused, ...done.refused].sort((a, b) => a.line - b.line);
          if (all.length > 0) io.status = 1;
          return { ...done, refused: all };
        },
        (done) => sayImported(io, done, dryRun === true),
      );
    });
  speaksToGateway(command.command('sources'))
    .description('how far each source of labels is trusted, and how often it is overruled')
    .addHelpText(
      'after',
      '\nwindows: that it labels; compared: where another source spoke, too; overruled: where the\n' +
        'other one counts; corrected: where it named another class later; withdrawn: taken back\n' +
        '\nExample:\n  $ npx whetstone labels sources',
    )
    .action((_, verb: Command) =>
      tell(
        io,
        verb.optsWithGlobals<RemoteOptions>(),
        async (calls) => ({ sources: await calls.labelSources() }),
        ({ sources }) => say(io, listSources(sources)),
      ),
    );
  speaksToGateway(command.command('ask'))
    .description('choose the windows whose labels teach most')
    .argument('<n>', 'budget of labels', integer(1, 1000))
    .option('--scope <scope>', 'fleet, cohort:NAME or device:ID', 'fleet')
    .addHelpText(
      'after',
      '\nNo window is asked for twice; those that wait: labels --asked\n' +
        '\nExample:\n  $ npx whetstone labels ask 10 --scope device:watch-1',
    )
    .action((count: number, { scope }: AskOptions, verb: Command) => {
      checkScope(verb, scope);
      return tell(
        io,
        verb.optsWithGlobals<RemoteOptions>(),
        (calls) => calls.askLabels({ count, scope }),
        (asked) => sayAsked(io, asked),
      );
    });
  speaksToGateway(command.command('teach'))
    .description('let a model on this computer label the raw windows that are stored')
    .argument('<file>', 'a .tflite or .onnx file that takes a raw window')
    .option('--teacher <name>', "what to call it; default the file's name")
    .option('--device <id>', 'windows of one device')
    .option('--limit <n>', 'the newest n', integer(1, 100_000), 1000)
    .option('--min-confidence <p>', 'label only where it is so sure', number(0, 1), 0.9)
    .option('--scale <factor>', 'what a count is multiplied by', number(0), 1)
    .option(
      '--layout <order>',
      "'samples' (x y z x y z …) or 'axes' (x x … y y …)",
      layout,
      'samples',
    )
    .option('--classes <names>', 'what its outputs stand for, in order, with commas', names)
    .option('--dry-run', 'only say what it would do, and how often it agrees with people')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone labels teach large.onnx --min-confidence 0.95 --dry-run',
    )
    .action((file: string, { teacher, dryRun, ...options }: TeachOptions, verb: Command) => {
      const { minConfidence, scale, layout, classes } = options;
      // `labels` has these two itself, and takes them also where they follow the verb
      const listed = command.opts<{ device?: string; limit: number }>();
      const device = listed.device ?? options.device;
      const isGiven = command.getOptionValueSource('limit') === 'cli';
      const limit = isGiven ? listed.limit : options.limit;
      return tell(
        io,
        verb.optsWithGlobals<RemoteOptions>(),
        (calls) =>
          calls.teach({
            file: readNamed(file).toString('base64'),
            name: teacher ?? nameOf(file),
            ...{ limit, minConfidence, scale, layout, dryRun: dryRun === true },
            ...(device !== undefined && { device }),
            ...(classes !== undefined && { classes }),
          }),
        (taught) => sayTaught(io, taught, dryRun === true),
      );
    });
}

/** A file's name as that of a teacher. */
function nameOf(file: string): string {
  const name = basename(file, extname(file)).toLowerCase();
  return name.replace(/[^a-z0-9._-]+/g, '-').replace(/^[^a-z0-9]+/, '') || 'teacher';
}

const now = (cls: string | null, source: string | null): string =>
  cls === null ? 'has no label now' : `counts as ${cls} now, by ${source}`;

function sayImported(io: Io, done: ImportedLabels, dryRun: boolean): void {
  const { added, known, refused, overruled } = done;
  for (const { line, reason } of refused.slice(0, TOLD)) say(io, `line ${line}: ${reason}`);
  if (refused.length > TOLD) say(io, `… and ${refused.length - TOLD} more lines (--json has all)`);
  if (overruled.length > 0) {
    const some = overruled.slice(0, 3).join(', ');
    say(
      io,
      `${overruled.length} count as another class all the same: ${some} (labels --contradicted)`,
    );
  }
  const verb = dryRun ? 'would be added' : 'added';
  say(io, `${added} labels ${verb}, ${known} known already, ${refused.length} lines refused`);
}

function listSources(sources: SourceView[]): string {
  if (sources.length === 0) return 'none yet';
  return table(
    ['source', 'trust', 'windows', 'compared', 'overruled', 'corrected', 'withdrawn'],
    sources.map(({ source, trust, ...tally }) => [
      ...[source, share(trust)],
      ...[tally.windows, tally.compared, tally.overruled, tally.corrected, tally.withdrawn].map(
        String,
      ),
    ]),
  );
}

function sayAsked(io: Io, { asked, candidates, outOfReach, missing }: AskView): void {
  if (asked.length === 0) {
    say(io, `nothing to ask for: ${missing}`);
    return;
  }
  say(io, listLabels(asked));
  const lost = outOfReach === 0 ? '' : `; of ${outOfReach} more no device holds the raw samples`;
  say(io, `${asked.length} chosen of ${candidates} that can be compared${lost}`);
  if (missing !== null) say(io, missing);
  say(io, 'label them: whetstone labels add SAMPLE CLASS');
}

function sayTaught(io: Io, taught: TeachView, dryRun: boolean): void {
  const { teacher, runtime, seen, labelled, unsure, foreign, perClass, compared, right } = taught;
  const counts = Object.entries(perClass).map(([cls, n]) => `${cls} ${n}`);
  if (counts.length > 0) say(io, `sure of: ${counts.join(', ')}`);
  const verb = dryRun ? 'would label' : 'labelled';
  const other = foreign === 0 ? '' : `, took ${foreign} for no class of the task`;
  say(
    io,
    `${teacher} (${runtime}) saw ${seen}, ${verb} ${labelled}, was unsure of ${unsure}${other}`,
  );
  if (compared > 0) say(io, `where others gave a label it was right ${right} times of ${compared}`);
}

function number(least: number, most = Infinity): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      most === Infinity ? `It takes a number from ${least}.` : `It takes ${least} to ${most}.`,
    );
  };
}

function layout(text: string): 'samples' | 'axes' {
  if (text === 'samples' || text === 'axes') return text;
  throw new InvalidArgumentError("It takes 'samples' or 'axes'.");
}

const names = (text: string): string[] => text.split(',').map((name) => name.trim());
