import type { GroupCommit } from './commit.ts';
import type { EventKind } from './event-kinds.ts';
import type { StoredEvent } from './journal.ts';
import type { Rows } from './rows.ts';

/** A stretch of time in equal parts, and whose. */
export interface HistoryRange {
  devices: readonly string[];
  /** whether these are all devices: then they need not be asked for one by one */
  isAll: boolean;
  /** ms since 1970: beginning of the first part */
  from: number;
  /** length of a part, ms */
  stepMs: number;
  parts: number;
}

/** What came in one part. */
export interface Part {
  windows: number;
  /** mean score of the windows; null without any */
  score: number | null;
  /** labelled windows, and those of them that were said right */
  labels: number;
  right: number;
  /** means of what was noted; null where nothing was */
  estimated: number | null;
  drift: number | null;
}

/** What happened over time, summed up by SQLite. */
export interface History {
  /**
   * What came in each part of a range. Windows that are set aside count for nothing, nor do recordings
   * that were read in.
   *
   * @param within answers that are at most so far from the truth are right
   */
  parts(range: HistoryRange, within: number): Part[];
  /** When the first window of these devices came; undefined before any. */
  begins(range: Pick<HistoryRange, 'devices' | 'isAll'>): number | undefined;
  /** Notes what the monitor made of a device at a moment. */
  note(
    device: string,
    at: number,
    seen: { estimated: number | null; drift: number | null },
  ): Promise<void>;
  /** Events of some kinds in [from, to), in their order; the newest `limit`. */
  events(kinds: readonly EventKind[], from: number, to: number, limit: number): StoredEvent[];
  /** How many events of a kind there are of each subject in each part of [from, to). */
  tally(
    kind: EventKind,
    range: Pick<HistoryRange, 'from' | 'stepMs' | 'parts'>,
  ): { part: number; subject: string; count: number; at: number }[];
}

const good = '(s.quarantine IS NULL OR s.releasedAt IS NOT NULL) AND s.release > 0';
const each = 'json_each(?1) d CROSS JOIN samples s ON s.device = d.value';
/** The part that a moment is in. Numbers are bound as floats: without the cast it would be none. */
const part = 'CAST((s.at - ?2) / ?3 AS INTEGER)';

/** @param rows the database @param commit where writes are grouped */
export function historyOf(rows: Rows, commit: GroupCommit): History {
  /** One query a part: each is a walk along an index that holds all it asks for, without a sort. */
  function windows({ devices, isAll, from, stepMs, parts }: HistoryRange, into: Part[]): void {
    const sum = 'SELECT count(*) AS windows, avg(s.score) AS score FROM';
    const names = JSON.stringify(devices);
    for (let i = 0; i < parts; i++) {
      const range = [from + i * stepMs, from + (i + 1) * stepMs];
      const found = isAll
        ? rows.one<Part>(`${sum} samples s WHERE s.at >= ? AND s.at < ? AND ${good}`, ...range)
        : rows.one<Part>(
            `${sum} ${each} AND s.at >= ?2 AND s.at < ?3 AND ${good}`,
            ...[names, ...range],
          );
      Object.assign(into[i]!, found);
    }
  }

  /** Of all devices labels are the fewer, so they come first; of some, the windows of these. */
  function labels(range: HistoryRange, within: number, into: Part[]): void {
    const { devices, isAll, from, stepMs, parts } = range;
    const joined = isAll
      ? 'verdicts v CROSS JOIN samples s ON s.id = v.sample AND ?1 IS NOT NULL'
      : `${each} CROSS JOIN verdicts v ON v.sample = s.id`;
    const found = rows.all<{ i: number; labels: number; right: number }>(
      `SELECT ${part} AS i, count(*) AS labels, sum(abs(s.cls - v.cls) <= ?5) AS "right"
       FROM ${joined} WHERE s.at >= ?2 AND s.at < ?4 AND ${good} GROUP BY i`,
      ...[JSON.stringify(devices), from, stepMs, from + parts * stepMs, within],
    );
    for (const { i, ...counts } of found) Object.assign(into[i]!, counts);
  }

  function noted({ devices, from, stepMs, parts }: HistoryRange, into: Part[]): void {
    const found = rows.all<{ i: number; estimated: number | null; drift: number | null }>(
      `SELECT ${part} AS i, avg(s.estimated) AS estimated, avg(s.drift) AS drift
       FROM json_each(?1) d CROSS JOIN trail s ON s.device = d.value
       WHERE s.at >= ?2 AND s.at < ?4 GROUP BY i`,
      ...[JSON.stringify(devices), from, stepMs, from + parts * stepMs],
    );
    for (const { i, ...means } of found) Object.assign(into[i]!, means);
  }

  return {
    parts(range, within) {
      const none = { windows: 0, score: null, labels: 0, right: 0, estimated: null, drift: null };
      const all: Part[] = Array.from({ length: range.parts }, () => ({ ...none }));
      windows(range, all);
      labels(range, within, all);
      noted(range, all);
      return all;
    },
    begins({ devices, isAll }) {
      const found = isAll
        ? rows.one<{ at: number }>(
            'SELECT at FROM samples s WHERE s.release > 0 ORDER BY s.at LIMIT 1',
          )
        : rows.one<{ at: number | null }>(
            `SELECT min((SELECT min(at) FROM samples s WHERE s.device = d.value)) AS at
             FROM json_each(?) d`,
            JSON.stringify(devices),
          );
      return found?.at ?? undefined;
    },
    note: (device, at, { estimated, drift }) =>
      commit.enqueue(() => {
        rows.run(
          'INSERT OR REPLACE INTO trail (device, at, estimated, drift) VALUES (?, ?, ?, ?)',
          ...[device, at, estimated, drift],
        );
      }),
    events(kinds, from, to, limit) {
      const found = rows.all<Omit<StoredEvent, 'data'> & { data: string }>(
        `SELECT e.id, e.at, e.kind, e.subject, e.data FROM json_each(?) k
         CROSS JOIN events e ON e.kind = k.value AND e.at >= ? AND e.at < ?
         ORDER BY e.id DESC LIMIT ?`,
        ...[JSON.stringify(kinds), from, to, limit],
      );
      return found.map((row) => ({ ...row, data: JSON.parse(row.data) })).reverse();
    },
    tally: (kind, { from, stepMs, parts }) =>
      rows.all(
        `SELECT CAST((at - ?2) / ?3 AS INTEGER) AS part, subject, count(*) AS count, max(at) AS at
         FROM events WHERE kind = ?1 AND at >= ?2 AND at < ?4 GROUP BY part, subject`,
        ...[kind, from, stepMs, from + parts * stepMs],
      ),
  };
}
