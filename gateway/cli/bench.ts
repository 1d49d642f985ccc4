import { Argument, type Command, Option } from 'commander';
import { type FaultsOptions, PARTS } from '../bench/faults/part.ts';
import type { BenchReport, BenchRow } from '../bench/report.ts';
import { type Io, integer, say, sayJson, table } from './io.ts';

const benches: Record<string, (options: FaultsOptions) => Promise<BenchReport>> = {
  kernel: async () => (await import('../bench/kernel.ts')).benchKernel(espruino()),
  train: async () => (await import('../bench/train.ts')).benchTrain(),
  adapt: async (options) => (await import('../bench/adapt.ts')).benchAdapt(options),
  faults: async (options) =>
    (await import('../bench/faults.ts')).benchFaults({ ...options, ...espruino() }),
  harm: async (options) => (await import('../bench/harm.ts')).benchHarm(options),
  audit: async () => (await import('../bench/audit.ts')).benchAudit(),
  ingest: async (options) => (await import('../bench/ingest.ts')).benchIngest(options),
  detectors: async (options) => (await import('../bench/detectors.ts')).benchDetectors(options),
  store: async (options) => (await import('../bench/store.ts')).benchStore(options),
  latency: async (options) =>
    (await import('../bench/latency.ts')).benchLatency(espruino().espruino, options),
  update: async (options) => (await import('../bench/update.ts')).benchUpdate(options),
  'run-lengths': async (options) =>
    (await import('../bench/run-lengths.ts')).benchRunLengths(options),
};

function espruino(): { espruino?: string } {
  const path = process.env.WHETSTONE_ESPRUINO;
  return path ? { espruino: path } : {};
}

/** `whetstone bench`: measures, beside a named peer in the same run. */
export function bench(program: Command, io: Io): void {
  program
    .command('bench')
    .description('measure a part of Whetstone beside a named peer')
    .addArgument(new Argument('<name>', 'what to measure').choices(Object.keys(benches)))
    .option('--data <dir>', 'folder of recordings, for what is measured on recordings')
    .option('--seeds <n>', 'how often what depends on chance is repeated', integer(1))
    .addOption(new Option('--only <part>', 'of faults: one part alone').choices(PARTS))
    .option('--short', 'of faults: a small sample of the cases')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ npx whetstone bench train --json')
    .action(async (name: string, { json, ...options }: FaultsOptions & { json?: boolean }) => {
      io.err.write(`measuring ${name}; this takes a while …\n`);
      const onProgress = (what: string) => void io.err.write(`${what}\n`);
      const report = await benches[name]({ ...options, onProgress });
      if (json) return sayJson(io, report);
      say(io, `${report.bench} on ${report.machine}`);
      const head = ['', 'value', '', 'peer', 'value', 'ratio', 'aim', 'met'];
      say(io, table(head, report.rows.map(cells)));
    });
}

function cells(row: BenchRow): string[] {
  if (row.skipped !== undefined) {
    const why = row.skipped.replace(/^skipped: /, '');
    return [row.name, '-', `skipped: ${why}`, '', '', '', row.aim ?? '', ''];
  }
  const number = (value: number | undefined) =>
    value === undefined ? '' : String(Number(value.toPrecision(4)));
  const met = row.met === undefined ? '' : row.met ? 'yes' : 'NO';
  return [
    row.name,
    number(row.value),
    row.unit,
    row.peer ?? '',
    number(row.peerValue),
    number(row.ratio),
    row.aim ?? '',
    met,
  ];
}
