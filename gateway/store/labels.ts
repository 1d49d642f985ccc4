import { randomUUID } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';
import type { NewLabel } from './types.ts';

/** A label as it is stored; every one is kept, also those that contradict one another. */
export interface StoredLabel {
  /** unique beyond this gateway */
  id: string;
  sample: number;
  cls: number;
  source: string;
  trust: number;
  at: number;
}

/** Labels, which arrive later than their samples, from several sources. */
export interface Labels {
  /**
   * Adds a label to a stored sample.
   *
   * @throws GatewayError 'not-found' if the sample is not stored
   * @throws RangeError if trust is outside [0, 1] or the class is not a natural number
   */
  add(label: NewLabel): Promise<void>;
  /** Every label of a sample, the one that counts first. */
  of(sample: number): StoredLabel[];
  /** How many samples of a task count as each class; index is the class. */
  perClass(task: string): number[];
}

/** @param rows the database @param commit where writes are grouped */
export function labelsOf(rows: Rows, commit: GroupCommit): Labels {
  return {
    add(label) {
      if (!(label.trust >= 0 && label.trust <= 1)) throw new RangeError('trust is 0 to 1');
      if (!(Number.isSafeInteger(label.cls) && label.cls >= 0)) throw new RangeError('no class');
      return commit.enqueue(() => {
        insertLabel(rows, label);
      });
    },
    of: (sample) =>
      rows.all<StoredLabel>(
        'SELECT * FROM labels WHERE sample = ? ORDER BY trust DESC, at DESC, rowid DESC',
        sample,
      ),
    perClass(task) {
      const counts: number[] = [];
      const found = rows.all<{ cls: number; n: number }>(
        `SELECT l.cls, count(*) AS n FROM samples s JOIN labels l ON l.rowid = (SELECT rowid
         FROM labels WHERE sample = s.id ORDER BY trust DESC, at DESC, rowid DESC LIMIT 1)
         WHERE s.task = ? GROUP BY l.cls ORDER BY l.cls`,
        task,
      );
      for (const { cls, n } of found) {
        while (counts.length < cls) counts.push(0);
        counts.push(n);
      }
      return counts;
    },
  };
}

/**
 * Writes one label inside the transaction that is open.
 *
 * @returns false if the device had sent this label before
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
    const name =
      typeof sample === 'number' ? sample : `${sample.device}/${sample.session}/${sample.seq}`;
    throw new GatewayError('not-found', `no sample ${name}`, {
      hint: 'a label needs a stored sample; see: whetstone labels',
    });
  }
  return (
    rows.run(
      'INSERT OR IGNORE INTO labels (id, sample, cls, source, trust, at) VALUES (?, ?, ?, ?, ?, ?)',
      ...[randomUUID(), found.id, cls, source, trust, at],
    ) === 1
  );
}
