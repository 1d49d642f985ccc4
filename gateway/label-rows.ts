import { createHash } from 'node:crypto';
import type { Answers } from './answers.ts';
import { GatewayError } from './errors.ts';
import { sampleText } from './store/sample-name.ts';
import type { Store } from './store/store.ts';
import type { NewLabel, Sample } from './store/types.ts';
import type { Task } from './task.ts';
import { trustOf } from './trust.ts';
import type { RefusedRow } from './views/label.ts';

/** One line of a file of labels: a window by its number or by its time, and what it was. */
export interface LabelRow {
  /** where it stands, for what is said about it */
  line: number;
  device: string;
  session?: number;
  seq?: number;
  /** ms since 1970, or ISO 8601 with its zone; the window of the device that is nearest */
  time?: number | string;
  cls: string;
  source?: string;
  /** 0 to 1; without it the task's for the source */
  trust?: number;
}

/** How lines become labels. */
export interface RowOptions {
  /** of lines that name none */
  source: string;
  /** how far the nearest window may be from a time, ms */
  withinMs: number;
  /** when the labels came, ms since 1970 */
  at: number;
}

/** A label and the sample that it is for, as it was before. */
export interface PlacedLabel extends NewLabel {
  id: string;
  found: Sample;
}

/**
 * Finds the windows that lines of labels mean.
 *
 * The id of each label is made of what it says and how often its source has said that of the window
 * further up: so the same lines again, alone or with others behind them, are labels that are there,
 * and what was withdrawn stays withdrawn.
 *
 * @param breathe awaited between two rows
 * @param rows in their order: of two for one window from one source the later counts
 * @returns labels for the lines that are good, and the others with their reason, each line once
 */
export async function placeRows(
  rows: readonly LabelRow[],
  { store, task, answers }: { store: Store; task: Task; answers: Answers },
  options: RowOptions,
  breathe: () => Promise<void>,
): Promise<{ labels: PlacedLabel[]; refused: RefusedRow[] }> {
  const labels: PlacedLabel[] = [];
  const refused: RefusedRow[] = [];
  const times = new Map<string, number>();
  const lines = new Map<number, number>();
  for (const row of rows) {
    await breathe();
    try {
      const source = row.source ?? options.source;
      const cls = answers.parse(row.cls);
      const trust = row.trust ?? trustOf(task, source);
      if (!(trust >= 0 && trust <= 1)) throw refusal(`trust ${trust} is not from 0 to 1`);
      const found = windowOf(row, store, task.name, options.withinMs);
      const line = (lines.get(found.id) ?? 0) + 1;
      lines.set(found.id, line);
      if (line > MOST_LINES) throw refusal(`more than ${MOST_LINES} lines are about this window`);
      const said = `${source} ${sampleText(found)} ${cls}`;
      const nth = (times.get(said) ?? 0) + 1;
      times.set(said, nth);
      const id = createHash('sha256').update(`${said} ${nth}`).digest('hex');
      labels.push({ id, sample: found.id, cls, source, trust, at: options.at, found });
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      refused.push({ line: row.line, reason: error.line() });
    }
  }
  return { labels, refused };
}

/** Lines about one window: each is weighed against all others of it. */
const MOST_LINES = 64;

/** @source ECMAScript 2025, 21.4.1.1: the last moment that a Date can be */
const LAST_MS = 8.64e15;

const refusal = (message: string, hint?: string): GatewayError =>
  new GatewayError('not-found', message, hint === undefined ? {} : { hint });

function windowOf(row: LabelRow, store: Store, task: string, withinMs: number): Sample {
  const { device, session, seq, time } = row;
  if (session !== undefined && seq !== undefined) {
    const found = store.samples.get({ device, session, seq });
    if (found === undefined) throw refusal(`no window ${sampleText({ device, session, seq })}`);
    return found;
  }
  if (time === undefined) throw refusal('neither session and seq, nor a time, say which window');
  const at = typeof time === 'number' ? time : millisecondsOf(time);
  if (!(Math.abs(at) <= LAST_MS)) throw refusal(`${time} is no time`, 'milliseconds since 1970');
  const near = store.samples
    .find({ task, device, since: at - withinMs, until: at + withinMs + 1 })
    .map((sample) => ({ sample, apart: Math.abs(sample.at - at) }))
    .sort((a, b) => a.apart - b.apart);
  const [first, second] = near;
  if (first === undefined) {
    throw refusal(
      `no window of ${device} within ${withinMs} ms of ${new Date(at).toISOString()}`,
      'a window has the time at which it came to the gateway',
    );
  }
  if (second?.apart === first.apart) {
    throw refusal(`two windows of ${device} are as near to ${new Date(at).toISOString()}`);
  }
  return first.sample;
}

/**
 * A moment as a file writes it.
 *
 * @param text ISO 8601 with its zone, or ms since 1970
 * @throws GatewayError 'not-found' if it is neither; without a zone nobody knows which hour is meant
 */
function millisecondsOf(text: string): number {
  if (/^\d{10,14}(\.\d+)?$/.test(text)) return Number(text);
  const at = /(Z|[+-]\d\d:?\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw refusal(`'${text}' is no time`, 'ISO 8601 with its zone, or milliseconds since 1970');
}
