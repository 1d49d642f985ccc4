import { type CsvError, parse } from 'csv-parse/sync';
import { GatewayError } from './errors.ts';
import type { LabelRow } from './label-rows.ts';
import { SOURCE } from './trust.ts';
import type { RefusedRow } from './views/label.ts';

/** Columns that a file of labels may have. */
const COLUMNS = ['device', 'session', 'seq', 'time', 'class', 'source', 'trust'];

/** Letters of a line that a message repeats; a file without an end of line is one. */
const SHOWN = 200;

interface Parsed {
  record: Record<string, string>;
  info: { lines: number; error?: CsvError };
}

/**
 * Reads labels from CSV: a line with the names of the columns, then a window and its class a line.
 *
 * `device` and `class` are needed, and `session` and `seq` or `time`; `source` and `trust` may be
 * there. A line that cannot be read is told of, and the others are kept.
 *
 * @param text comma-separated, as RFC 4180 has it; spaces about a value are no part of it
 * @returns rows with the number of the line on which they end
 * @throws GatewayError 'bad-file' if there is none, the columns are not those of labels, or a quote
 *   swallows the rest
 * @example readLabelCsv('device,session,seq,class\nw1,7,1,upup\n').rows // [{ line: 2, device: 'w1', session: 7, seq: 1, cls: 'upup' }]
 */
export function readLabelCsv(text: string): { rows: LabelRow[]; refused: RefusedRow[] } {
  const rows: LabelRow[] = [];
  const refused: RefusedRow[] = [];
  const parsed = parse(text, {
    ...{ bom: true, trim: true, info: true, skip_empty_lines: true, relax_column_count: true },
    record_delimiter: ['\r\n', '\n', '\r'],
    columns: checkColumns,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error?.code === 'CSV_QUOTE_NOT_CLOSED') {
        throw new GatewayError('bad-file', `a quote is opened and never closed: ${error.message}`);
      }
      refused.push({ line: Number(error?.lines), reason: `no CSV: ${error?.message}` });
    },
  }) as unknown as Parsed[];
  for (const { record, info } of parsed) {
    const line = info.lines;
    const reason = info.error === undefined ? problemOf(record) : 'not as many values as columns';
    if (reason !== undefined) {
      refused.push({ line, reason });
      continue;
    }
    const { device, session, seq, time, class: cls, source, trust } = record;
    rows.push({
      ...{ line, device: device!, cls: cls! },
      ...(session && seq ? { session: Number(session), seq: Number(seq) } : { time: time! }),
      ...(source && { source }),
      ...(trust && { trust: Number(trust) }),
    });
  }
  if (rows.length + refused.length === 0) {
    throw new GatewayError('bad-file', 'the file has no line of labels', {
      hint: 'device,session,seq,class first, then a window and its class a line',
    });
  }
  return { rows, refused: refused.sort((a, b) => a.line - b.line) };
}

function checkColumns(names: string[]): string[] {
  const given = names.map((name) => name.toLowerCase());
  const known = given.every((name, i) => COLUMNS.includes(name) && given.indexOf(name) === i);
  const has = (...wanted: string[]): boolean => wanted.every((name) => given.includes(name));
  if (known && has('device', 'class') && (has('session', 'seq') || has('time'))) return given;
  const line = names.join(',');
  const begins = line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
  throw new GatewayError('bad-file', `the first line names no columns of labels: ${begins}`, {
    hint: 'device,session,seq,class or device,time,class; also source, trust',
  });
}

function problemOf(record: Record<string, string>): string | undefined {
  const { device, session, seq, time, class: cls, source, trust } = record;
  if (!device) return 'the device is missing';
  if (!cls) return 'the class is missing';
  if (Boolean(session) !== Boolean(seq)) return 'session and seq belong together';
  if (!session && !time) return 'neither session and seq, nor a time, say which window';
  const natural = /^\d{1,15}$/;
  if (session && !natural.test(session)) return `session '${session}' is no number`;
  if (seq && !natural.test(seq)) return `seq '${seq}' is no number`;
  if (source && !new RegExp(SOURCE).test(source)) return `source '${source}' names nobody`;
  if (trust && !(Number(trust) >= 0 && Number(trust) <= 1)) {
    return `trust '${trust}' is not from 0 to 1`;
  }
  return undefined;
}
