/** A line of a file of labels, as the gateway takes it. */
export interface LabelRow {
  line: number;
  device: string;
  session?: number;
  seq?: number;
  time?: number | string;
  cls: string;
  source?: string;
  trust?: number;
}

/** What a CSV node calls its columns: texts, or numbers where they look like some. */
type Line = Record<string, unknown>;

const SAMPLE = /^(\S+)\/(\d+):(\d+)$/;

/**
 * Lines of a CSV file as rows of labels.
 *
 * A line names its window by `sample` (DEVICE/SESSION:SEQ), by `device`, `session` and `seq`, or by
 * `device` and `time` (ISO 8601 with its zone, or ms since 1970), and has a `class`; `source` and
 * `trust` may be there.
 *
 * @param value a line, or an array of them
 * @returns rows, and the lines that are none with the reason; lines count from 1
 * @throws Error if it is neither
 * @example labelRows([{ device: 'w1', session: 7, seq: 1, class: 'upup' }]).rows // [{ line: 1, device: 'w1', cls: 'upup', session: 7, seq: 1 }]
 */
export function labelRows(value: unknown): {
  rows: LabelRow[];
  refused: { line: number; reason: string }[];
} {
  const lines = Array.isArray(value) ? value : [value];
  const rows: LabelRow[] = [];
  const refused: { line: number; reason: string }[] = [];
  lines.forEach((one: unknown, i) => {
    if (typeof one !== 'object' || one === null) {
      throw new Error('the rows are no objects with columns: put a csv node before this one');
    }
    const line = i + 1;
    const row = rowOf(one as Line, line);
    if (typeof row === 'string') refused.push({ line, reason: row });
    else rows.push(row);
  });
  if (rows.length + refused.length === 0) throw new Error('there is no line of labels');
  return { rows, refused };
}

function rowOf(columns: Line, line: number): LabelRow | string {
  const has = (name: string): boolean => ![undefined, null, ''].includes(columns[name] as never);
  const cls = has('class') ? columns.class : columns.cls;
  if (cls === undefined || cls === null || cls === '') return 'the class is missing';
  const more = {
    ...(has('source') && { source: String(columns.source) }),
    ...(has('trust') && { trust: Number(columns.trust) }),
  };
  if (has('trust') && !Number.isFinite(more.trust)) return `trust '${columns.trust}' is no number`;
  if (has('sample')) {
    const [, device, session, seq] = SAMPLE.exec(String(columns.sample)) ?? [];
    if (device === undefined) return `sample '${columns.sample}' is not DEVICE/SESSION:SEQ`;
    const window = { session: Number(session), seq: Number(seq) };
    return { line, device, cls: String(cls), ...window, ...more };
  }
  if (!has('device')) return 'the device is missing';
  const start = { line, device: String(columns.device), cls: String(cls) };
  if (has('session') && has('seq')) {
    const [session, seq] = [Number(columns.session), Number(columns.seq)];
    if (!Number.isSafeInteger(session) || !Number.isSafeInteger(seq)) {
      return 'session and seq are no whole numbers';
    }
    return { ...start, session, seq, ...more };
  }
  if (!has('time')) return 'neither sample, nor session and seq, nor time say which window';
  const { time } = columns;
  if (typeof time === 'number' && !Number.isFinite(time)) return `time ${time} is no time`;
  return { ...start, time: typeof time === 'number' ? time : String(time), ...more };
}
