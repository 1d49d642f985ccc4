import { randomUUID } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import type { GroupCommit } from './commit.ts';
import { RULE, resolve, type Said, type Standing, standings } from './resolve.ts';
import type { Rows } from './rows.ts';
import { sampleText } from './sample-name.ts';
import type { NewLabel } from './types.ts';

/** A label as it is stored; every one is kept, also those that contradict one another. */
export interface StoredLabel extends Said {
  /** unique beyond this gateway */
  id: string;
  sample: number;
}

/** How one source fares. */
export interface SourceTally {
  source: string;
  /** windows that it has a label for, withdrawn ones left out */
  windows: number;
  /** of these, windows that another source names too */
  compared: number;
  /** of those, windows that count as another class than it says */
  overruled: number;
  /** labels that it replaced by another class itself */
  corrected: number;
  withdrawn: number;
}

/** Labels, which arrive later than their samples, from several sources. */
export interface Labels {
  /**
   * Adds a label to a stored sample.
   *
   * @returns false where it is there already: its id, or the same from the same source
   * @throws GatewayError 'not-found' if the sample is not stored
   * @throws RangeError if trust is outside [0, 1] or the class is not a natural number
   */
  add(label: NewLabel): Promise<boolean>;
  /**
   * Adds many at once: all of them, or none.
   *
   * @returns for each whether it is new
   * @throws as {@link Labels.add}
   */
  addAll(labels: readonly NewLabel[]): boolean[];
  /**
   * Takes a label back: it is kept, and counts no more.
   *
   * @param source whose; without it everybody's
   * @returns how many were withdrawn
   */
  withdraw(sample: number, source: string | undefined, at: number): number;
  /** Every label of a sample, in the order in which they came, with what became of it. */
  of(sample: number): (StoredLabel & { standing: Standing })[];
  /** How many samples of a task count as each class; index is the class. */
  perClass(task: string): number[];
  /** How each source of a task's labels fares, by name. */
  sources(task: string): SourceTally[];
}

const SOURCES = `WITH mine AS (SELECT l.rowid AS id, l.sample, l.cls, l.source, l.at, l.withdrawnAt
  FROM labels l JOIN samples s ON s.id = l.sample WHERE s.task = ?),
  ordered AS (SELECT sample, cls, source, row_number() OVER
    (PARTITION BY sample, source ORDER BY at DESC, id DESC) AS n,
    lead(cls) OVER (PARTITION BY sample, source ORDER BY at DESC, id DESC) AS before
    FROM mine WHERE withdrawnAt IS NULL),
  voices AS (SELECT o.source, v.cls <> o.cls AS loses, EXISTS (SELECT 1 FROM labels x WHERE
    x.sample = o.sample AND x.source <> o.source AND x.withdrawnAt IS NULL) AS met
    FROM ordered o JOIN verdicts v ON v.sample = o.sample WHERE o.n = 1)
  SELECT a.source AS source,
    (SELECT count(*) FROM voices v WHERE v.source = a.source) AS windows,
    (SELECT count(*) FROM voices v WHERE v.source = a.source AND v.met) AS compared,
    (SELECT count(*) FROM voices v WHERE v.source = a.source AND v.met AND v.loses) AS overruled,
    (SELECT count(*) FROM ordered o WHERE o.source = a.source AND o.before <> o.cls) AS corrected,
    (SELECT count(*) FROM mine m WHERE m.source = a.source AND m.withdrawnAt IS NOT NULL) AS withdrawn
  FROM (SELECT DISTINCT source FROM mine) a ORDER BY a.source`;

/** @param rows the database @param commit where writes are grouped */
export function labelsOf(rows: Rows, commit: GroupCommit): Labels {
  return {
    add(label) {
      check(label);
      return commit.enqueue(() => insertLabel(rows, label));
    },
    addAll(labels) {
      labels.forEach(check);
      return commit.now(() => labels.map((label) => insertLabel(rows, label)));
    },
    withdraw: (sample, source, at) =>
      commit.now(() => {
        const withdrawn = rows.run(
          `UPDATE labels SET withdrawnAt = ?1 WHERE sample = ?2 AND withdrawnAt IS NULL
           AND (?3 IS NULL OR source = ?3)`,
          ...[at, sample, source ?? null],
        );
        settle(rows, sample);
        return withdrawn;
      }),
    of(sample) {
      const labels = inOrder(rows, sample);
      const became = standings(labels);
      return labels.map((label, i) => ({ ...label, standing: became[i]! }));
    },
    perClass(task) {
      const counts: number[] = [];
      const found = rows.all<{ cls: number; n: number }>(
        `SELECT v.cls, count(*) AS n FROM samples s JOIN verdicts v ON v.sample = s.id
         WHERE s.task = ? GROUP BY v.cls ORDER BY v.cls`,
        task,
      );
      for (const { cls, n } of found) {
        while (counts.length < cls) counts.push(0);
        counts.push(n);
      }
      return counts;
    },
    sources: (task) => rows.all<SourceTally>(SOURCES, task).map((row) => ({ ...row })),
  };
}

function check({ trust, cls }: NewLabel): void {
  if (!(trust >= 0 && trust <= 1)) throw new RangeError('trust is 0 to 1');
  if (!(Number.isSafeInteger(cls) && cls >= 0)) throw new RangeError('no class');
}

/**
 * Writes one label inside the transaction that is open.
 *
 * @returns false if it is stored already: by its id, or what the source says of the sample anyway
 * @throws GatewayError 'not-found' if the sample is not stored
 */
export function insertLabel(rows: Rows, label: NewLabel): boolean {
  const { sample, cls, source, trust, at } = label;
  const found =
    typeof sample === 'number'
      ? rows.one<{ id: number }>('SELECT id FROM samples WHERE id = ?', sample)
      : rows.one<{ id: number }>(
          'SELECT id FROM samples WHERE device = ? AND session = ? AND seq = ?',
          ...[sample.device, sample.session, sample.seq],
        );
  if (found === undefined) {
    const name = typeof sample === 'number' ? sample : sampleText(sample);
    throw new GatewayError('not-found', `no sample ${name}`, {
      hint: 'a label needs a stored sample; see: whetstone labels',
    });
  }
  const says = rows.one<{ cls: number; trust: number }>(
    `SELECT cls, trust FROM labels WHERE sample = ? AND source = ? AND withdrawnAt IS NULL
     ORDER BY at DESC, rowid DESC LIMIT 1`,
    ...[found.id, source],
  );
  if (says?.cls === cls && says.trust === trust) return false;
  const added = rows.run(
    'INSERT OR IGNORE INTO labels (id, sample, cls, source, trust, at) VALUES (?, ?, ?, ?, ?, ?)',
    ...[label.id ?? randomUUID(), found.id, cls, source, trust, at],
  );
  if (added === 1) settle(rows, found.id);
  return added === 1;
}

/** Writes down which label of a sample counts, inside the transaction that is open. */
function settle(rows: Rows, sample: number): void {
  const counts = resolve(inOrder(rows, sample));
  if (counts === null) {
    rows.run('DELETE FROM verdicts WHERE sample = ?', sample);
    return;
  }
  const { cls, source, trust, at, firstAt, contradicted } = counts;
  rows.run(
    `INSERT OR REPLACE INTO verdicts (sample, cls, source, trust, at, firstAt, contradicted)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ...[sample, cls, source, trust, at, firstAt, Number(contradicted)],
  );
}

function inOrder(rows: Rows, sample: number): StoredLabel[] {
  return rows.all<StoredLabel>('SELECT * FROM labels WHERE sample = ? ORDER BY at, rowid', sample);
}

/** Resolves every label again where the store was resolved by an earlier rule, or by none. */
export function settleAll(rows: Rows, commit: GroupCommit): void {
  const rule = rows.one<{ value: string }>("SELECT value FROM meta WHERE name = 'labelRule'");
  if (rule?.value === String(RULE)) return;
  commit.now(() => {
    const samples = rows.all<{ sample: number }>('SELECT DISTINCT sample FROM labels');
    for (const { sample } of samples) settle(rows, sample);
    rows.run("INSERT OR REPLACE INTO meta (name, value) VALUES ('labelRule', ?)", String(RULE));
  });
}
