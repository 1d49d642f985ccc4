import type { SQLInputValue } from 'node:sqlite';
import { GatewayError } from '../errors.ts';
import type { GroupCommit } from './commit.ts';
import { insertLabel } from './labels.ts';
import { blob, int8, type Rows } from './rows.ts';
import { sampleName } from './sample-name.ts';
import { type SessionBooks, sessionsOf } from './sessions.ts';
import type {
  AddOutcome,
  LabelledSample,
  NewSample,
  Progress,
  Sample,
  SampleFilter,
  SampleKey,
} from './types.ts';
import type { Vault } from './vault.ts';

const integers = ['session', 'seq', 'at', 't', 'release', 'cls', 'score', 'length'] as const;

/** Trust of the wearer's own label where no task says another: a slip of the finger is possible. */
const deviceTrust = 0.9;

/** Samples: written once, whatever the link repeats, and read by filter. */
export interface Samples {
  /**
   * Stores a sample. A sample that is there already (same device, session and seq) is counted as a
   * duplicate; what it carries and the stored one lacks (window, embedding, label) is filled in.
   *
   * @returns resolves after the commit: only then may the sample be acknowledged
   * @throws GatewayError 'disk-full' if there is no room; nothing is stored then, send it again
   * @throws TypeError if a number is not an integer or a text is empty
   */
  add(sample: NewSample): Promise<AddOutcome>;
  /** Samples that match, oldest first unless the filter says otherwise. */
  find(filter: SampleFilter): Sample[];
  /** Labelled samples fit for training: set-aside ones only if somebody released them. */
  labelled(filter: SampleFilter): LabelledSample[];
  /** The newest samples of a device, newest first. */
  latest(device: string, limit: number): Sample[];
  /** When the newest samples of a device came, and their scores, newest first; read from an index alone. */
  newest(device: string, limit: number): { at: number; score: number }[];
  get(sample: number | SampleKey): Sample | undefined;
  count(filter: SampleFilter): number;
  /** How many samples there are of each task, by name; reads every one. */
  perTask(): Map<string, number>;
  /** Windows of a device that are stored, of all its sessions; costs the same however many. */
  stored(device: string): number;
  /** How far a session is stored: what the gateway may acknowledge. */
  progress(device: string, session: number): Progress;
  /** What a session's link must know when it begins again: stored or lost up to here, and beyond. */
  known(device: string, session: number): { ackSeq: number; beyond: number[] };
  /**
   * Notes how many windows the device says it had to forget in this session.
   *
   * @param below nothing that is not stored and has a lower seq will ever come
   */
  noteDropped(device: string, session: number, dropped: number, below?: number): void;
  /**
   * Releases a quarantined sample: it counts again, and its reason stays visible.
   *
   * @throws GatewayError 'not-found' if no sample of this id is set aside
   */
  release(id: number, at: number): void;
}

interface Row extends Omit<Sample, 'embedding' | 'window' | 'label'> {
  embedding: Uint8Array | null;
  window: Uint8Array | null;
  labelCls: number | null;
  labelSource: string;
  labelTrust: number;
  labelAt: number;
  firstAt: number;
  contradicted: number;
}

const byKey = 'device = ? AND session = ? AND seq = ?';
const from = 'FROM samples s LEFT JOIN verdicts l ON l.sample = s.id';
const columns = `s.*, l.cls AS labelCls, l.source AS labelSource, l.trust AS labelTrust,
  l.at AS labelAt, l.firstAt, l.contradicted`;

/**
 * @param rows the database
 * @param commit where writes are grouped
 * @param vault seals what was measured
 */
export function samplesOf(rows: Rows, commit: GroupCommit, vault: Vault): Samples {
  const sessions = sessionsOf(rows, commit);
  const sealed = (sample: NewSample, column: 'embedding' | 'window'): Uint8Array | null => {
    const bytes = blob(sample[column]);
    return bytes && vault.seal('samples', sampleName(sample), column, bytes);
  };
  const opened = (row: Row, column: 'embedding' | 'window'): Int8Array | null => {
    const bytes = row[column];
    return int8(bytes && vault.open('samples', sampleName(row), column, bytes));
  };

  function insert(sample: NewSample): AddOutcome {
    const { device, session, seq } = sample;
    const books = sessions.of(device, session);
    // beyond what is whole a window is new as a rule: whether it is, the insert itself says
    if (seq <= books.acked || add(sample) === 0) {
      const stored = rows.one<{ id: number; gaps: number }>(
        `SELECT id, (embedding IS NULL) + 2 * (window IS NULL) AS gaps FROM samples WHERE ${byKey}`,
        ...[device, session, seq],
      );
      // one that is not there was removed
      return stored === undefined ? again(books) : repeat(stored.id, stored.gaps, sample, books);
    }
    if (sample.label !== null) fromDevice(sample);
    advance(books, seq);
    return 'new';
  }

  /** @returns 0 where it is there already, else 1 */
  function add(sample: NewSample): number {
    return rows.run(
      `INSERT INTO samples (device, session, seq, task, at, t, release, version, cls, score, length,
       embedding, window, quarantine) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (device, session, seq) DO NOTHING`,
      sample.device,
      sample.session,
      sample.seq,
      sample.task,
      sample.at,
      sample.t,
      sample.release,
      sample.version,
      sample.cls,
      sample.score,
      sample.length,
      sealed(sample, 'embedding'),
      sealed(sample, 'window'),
      sample.quarantine,
    );
  }

  function repeat(id: number, gaps: number, sample: NewSample, books: SessionBooks): AddOutcome {
    const fills =
      (gaps % 2 === 1 && sample.embedding !== null) || (gaps >= 2 && sample.window !== null);
    if (fills) {
      rows.run(
        `UPDATE samples SET embedding = coalesce(embedding, ?), window = coalesce(window, ?),
         quarantine = coalesce(quarantine, ?) WHERE id = ?`,
        ...[sealed(sample, 'embedding'), sealed(sample, 'window'), sample.quarantine, id],
      );
    }
    const labels = sample.label !== null && fromDevice(sample);
    return fills || labels ? 'merged' : again(books);
  }

  function again(books: SessionBooks): AddOutcome {
    books.duplicates++;
    books.isChanged = true;
    return 'duplicate';
  }

  function fromDevice(sample: NewSample): boolean {
    const { label, at, labelTrust: trust = deviceTrust } = sample;
    return insertLabel(rows, { sample, cls: label as number, source: 'device', trust, at });
  }

  function advance(books: SessionBooks, seq: number): void {
    const { device, session, acked, highest } = books;
    if (seq === acked + 1) {
      books.acked = highest > seq ? wholeFrom(device, session, seq) : seq;
    }
    books.highest = Math.max(highest, seq);
    books.added++;
    books.isChanged = true;
  }

  /** The last seq of the unbroken run that begins behind this one. */
  function wholeFrom(device: string, session: number, seq: number): number {
    let last = seq;
    while (rows.one(`SELECT 1 FROM samples WHERE ${byKey}`, device, session, last + 1)) last++;
    return last;
  }

  function progress(device: string, session: number): Progress {
    const { acked, highest, duplicates, dropped } = sessions.of(device, session);
    return { acked, highest, duplicates, dropped };
  }

  function toSample(row: Row): Sample {
    const { labelCls, labelSource, labelTrust, labelAt, firstAt, contradicted, ...others } = row;
    return {
      ...others,
      embedding: opened(row, 'embedding'),
      window: opened(row, 'window'),
      label:
        labelCls === null
          ? null
          : {
              ...{ cls: labelCls, source: labelSource, trust: labelTrust, at: labelAt, firstAt },
              contradicted: contradicted === 1,
            },
    };
  }

  function find(filter: SampleFilter): Sample[] {
    const { where, values } = conditions(filter);
    const order = filter.order === 'newest' ? 'DESC' : 'ASC';
    // of one device the index of its windows by time gives them in order: nothing has to be sorted
    const by = filter.device === undefined ? '' : `s.at ${order}, `;
    return rows
      .all<Row>(
        `SELECT ${columns} ${from} ${where} ORDER BY ${by}s.id ${order} LIMIT ?`,
        ...[...values, filter.limit ?? -1],
      )
      .map(toSample);
  }

  return {
    add(sample) {
      check(sample);
      return commit.enqueue(() => insert(sample));
    },
    find,
    labelled: (filter) =>
      find({ ...filter, labelled: true, quarantined: false }) as LabelledSample[],
    latest: (device, limit) => find({ device, limit, order: 'newest' }),
    newest: (device, limit) =>
      rows.all(
        'SELECT at, score FROM samples WHERE device = ? ORDER BY at DESC, id DESC LIMIT ?',
        ...[device, limit],
      ),
    get(sample) {
      const [where, values] =
        typeof sample === 'number'
          ? ['s.id = ?', [sample]]
          : [byKey, [sample.device, sample.session, sample.seq]];
      const row = rows.one<Row>(`SELECT ${columns} ${from} WHERE ${where}`, ...values);
      return row && toSample(row);
    },
    count(filter) {
      const { where, values } = conditions(filter);
      return rows.one<{ n: number }>(`SELECT count(*) AS n ${from} ${where}`, ...values)?.n ?? 0;
    },
    perTask: () =>
      new Map(
        rows
          .all<{ task: string; n: number }>('SELECT task, count(*) AS n FROM samples GROUP BY task')
          .map(({ task, n }) => [task, n]),
      ),
    stored: (device) =>
      rows.one<{ n: number }>('SELECT total(stored) AS n FROM sessions WHERE device = ?', device)
        ?.n ?? 0,
    progress,
    known(device, session) {
      const ackSeq = progress(device, session).acked;
      const beyond = rows.all<{ seq: number }>(
        'SELECT seq FROM samples WHERE device = ? AND session = ? AND seq > ? ORDER BY seq',
        ...[device, session, ackSeq],
      );
      return { ackSeq, beyond: beyond.map((row) => row.seq) };
    },
    noteDropped: (device, session, dropped, below = 1) =>
      commit.now(() => {
        const books = sessions.of(device, session);
        const acked = Math.max(below - 1, books.acked);
        const most = Math.min(dropped, Number.MAX_SAFE_INTEGER); // a device may say anything
        books.dropped = Math.max(books.dropped, most);
        books.acked = wholeFrom(device, session, acked);
        books.isChanged = true;
      }),
    release: (id, at) =>
      commit.now(() => {
        const changed = rows.run(
          `UPDATE samples SET releasedAt = ? WHERE id = ? AND quarantine IS NOT NULL
           AND releasedAt IS NULL`,
          ...[at, id],
        );
        if (changed === 0) {
          throw new GatewayError('not-found', `no sample ${id} is set aside`, {
            hint: 'it may have been released already',
          });
        }
      }),
  };
}

/** A sample that cannot be stored is the caller's mistake, said at once and not at the commit. */
function check(sample: NewSample): void {
  for (const name of integers) {
    if (!Number.isSafeInteger(sample[name])) throw new TypeError(`sample.${name} is no integer`);
  }
  if (sample.device === '' || sample.task === '')
    throw new TypeError('sample needs device and task');
}

function conditions(filter: SampleFilter): { where: string; values: SQLInputValue[] } {
  const parts: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (sql: string, value: SQLInputValue | undefined) => {
    if (value === undefined) return;
    parts.push(sql);
    values.push(value);
  };
  add('s.task = ?', filter.task);
  add('s.device = ?', filter.device);
  add(
    's.device IN (SELECT value FROM json_each(?))',
    filter.devices && JSON.stringify(filter.devices),
  );
  add('s.release = ?', filter.release);
  add('s.version = ?', filter.version);
  add('s.at >= ?', filter.since);
  add('s.at < ?', filter.until);
  add('s.id > ?', filter.afterId);
  if (filter.before !== undefined) {
    // as a device's samples are ordered: its clock may have been set back since
    parts.push('(s.at, s.id) < (?, ?)');
    values.push(filter.before.at, filter.before.id);
  }
  const either = (wanted: boolean | undefined, yes: string, no: string) => {
    if (wanted !== undefined) parts.push(wanted ? yes : no);
  };
  either(filter.labelled, 'l.cls IS NOT NULL', 'l.cls IS NULL');
  either(
    filter.contradicted,
    'l.contradicted = 1',
    '(l.contradicted IS NULL OR l.contradicted = 0)',
  );
  const isAsked = 'EXISTS (SELECT 1 FROM asked a WHERE a.sample = s.id)';
  either(filter.asked, isAsked, `NOT ${isAsked}`);
  either(filter.withEmbedding, 's.embedding IS NOT NULL', 's.embedding IS NULL');
  either(filter.withWindow, 's.window IS NOT NULL', 's.window IS NULL');
  either(
    filter.quarantined,
    '(s.quarantine IS NOT NULL AND s.releasedAt IS NULL)',
    '(s.quarantine IS NULL OR s.releasedAt IS NOT NULL)',
  );
  return { where: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`, values };
}
