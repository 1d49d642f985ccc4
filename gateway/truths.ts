import type { Answers } from './answers.ts';
import { GatewayError } from './errors.ts';
import { type LabelRow, placeRows, type RefusedRow } from './label-rows.ts';
import type { Clock } from './link/port.ts';
import type { SeenLabel } from './monitor/monitor.ts';
import { isModel } from './store/resolve.ts';
import type { Store } from './store/store.ts';
import type { Sample, SampleKey } from './store/types.ts';
import type { Task } from './task.ts';

/** What somebody says a window was. */
export interface Truth {
  sample: number | SampleKey;
  cls: number;
  source: string;
  /** 0 to 1 */
  trust: number;
}

/** What became of labels that came in bulk. */
export interface ImportedLabels {
  /** new labels; of a dry run those that would be */
  added: number;
  /** labels that were there already */
  known: number;
  refused: RefusedRow[];
  /** windows that count as another class than the lines say, for all that was labelled before */
  overruled: string[];
}

/** How labels come in bulk. */
export interface BulkOptions {
  /** of lines that name none */
  source: string;
  withinMs: number;
  /** only say what would become of them */
  dryRun: boolean;
}

/** What windows really were, however late it is said. */
export interface Truths {
  /**
   * @returns the window with the label that counts now
   * @throws GatewayError 'not-found' (no such sample), 'not-allowed' (no such class)
   */
  add(label: Truth): Promise<Sample>;
  /** Many at once: the good ones are stored together, or none where that fails. */
  addRows(rows: readonly LabelRow[], options: BulkOptions): ImportedLabels;
  /**
   * Takes labels of a window back.
   *
   * @param source whose; without it everybody's
   * @throws GatewayError 'not-found' if there are none
   */
  withdraw(key: SampleKey, source?: string): Sample;
}

export interface TruthParts {
  task: Task;
  answers: Answers;
  store: Store;
  clock: Clock;
  /** the first truth about a prediction, or a correction of it: for those who count */
  judged: (device: string, seen: SeenLabel, sample: Sample) => void;
  /** labels of a device have changed */
  labelled: (device: string) => void;
  /** the raw window of a labelled sample is wanted */
  wanted: (sample: Sample) => void;
}

/** What a dry run ends with, so that nothing of it is kept. */
class DryRun extends Error {}

/** @param parts where labels are stored, and who is told */
export function createTruths(parts: TruthParts): Truths {
  const { task, answers, store, clock, judged, labelled, wanted } = parts;

  /**
   * Credits the monitor at the window's own time, once a window and truth: a second source that says
   * the same is no second window. A model's word about a model is no truth, and what is set aside
   * proves nothing.
   */
  function credit(before: Sample): void {
    const { device, release, cls: said, score, at, quarantine, releasedAt } = before;
    const after = store.samples.get(before.id)?.label ?? null;
    const earlier = known(before);
    if (before.window === null) wanted(before);
    if (after === null || isModel(after.source) || earlier === after.cls) return;
    if (quarantine !== null && releasedAt === null) return;
    judged(device, { release, said, truth: after.cls, score, at }, before);
  }

  return {
    async add({ sample, cls, source, trust }) {
      const found = store.samples.get(sample);
      if (found === undefined) {
        throw new GatewayError('not-found', 'no such sample', {
          hint: 'DEVICE/SESSION:SEQ, see: whetstone events',
        });
      }
      if (!Number.isInteger(cls) || cls < 0 || cls >= answers.count) {
        throw new GatewayError('not-allowed', `class ${cls} is not one of task '${task.name}'`, {
          hint: `there are: ${answers.groups.join(', ')}`,
        });
      }
      await store.labels.add({ sample: found.id, cls, source, trust, at: clock.now() });
      labelled(found.device);
      credit(found);
      return store.samples.get(found.id) as Sample;
    },
    addRows(rows, { source, withinMs, dryRun }) {
      const at = clock.now();
      const { labels, refused } = placeRows(
        rows,
        { store, task, answers },
        { source, withinMs, at },
      );
      const outcome: ImportedLabels = { added: 0, known: 0, refused, overruled: [] };
      const changed = new Set<Sample>();
      try {
        store.transaction(() => {
          store.labels.addAll(labels).forEach((isNew, i) => {
            if (isNew) changed.add(labels[i]!.found);
            outcome[isNew ? 'added' : 'known']++;
          });
          outcome.overruled = overruled(labels);
          if (dryRun) throw new DryRun();
          const { added, known } = outcome;
          const data = { added, known, refused: refused.length };
          if (added > 0) store.journal.write('label.imported', source, data, at);
        });
      } catch (error) {
        if (error instanceof DryRun) return outcome;
        throw error;
      }
      const first = new Map([...changed].map((found) => [found.id, found]));
      const inTime = [...first.values()].sort((a, b) => a.at - b.at);
      for (const device of new Set(inTime.map((found) => found.device))) labelled(device);
      for (const found of inTime) credit(found);
      return outcome;
    },
    withdraw(key, source) {
      const found = store.samples.get(key);
      const name = `${key.device}/${key.session}:${key.seq}`;
      const at = clock.now();
      const withdrawn =
        found === undefined
          ? 0
          : store.transaction(() => {
              const count = store.labels.withdraw(found.id, source, at);
              const data = { sample: name, count, ...(source !== undefined && { source }) };
              if (count > 0) store.journal.write('label.withdrawn', found.device, data, at);
              return count;
            });
      if (found === undefined || withdrawn === 0) {
        const whose = source === undefined ? '' : ` from '${source}'`;
        throw new GatewayError('not-found', `no label of ${name}${whose} to withdraw`, {
          hint: 'see: whetstone labels',
        });
      }
      credit(found);
      return store.samples.get(found.id) as Sample;
    },
  };

  /** Each window, once, whose label that counts is another than its lines say in the end. */
  function overruled(labels: readonly { found: Sample; cls: number; source: string }[]): string[] {
    const last = new Map(labels.map((label) => [`${label.source} ${label.found.id}`, label]));
    const names = [...last.values()]
      .filter(({ found, cls }) => store.samples.get(found.id)?.label?.cls !== cls)
      .map(({ found }) => `${found.device}/${found.session}:${found.seq}`);
    return [...new Set(names)];
  }
}

/** The class that the monitor was told of a window. */
function known({ label }: Sample): number | undefined {
  return label === null || isModel(label.source) ? undefined : label.cls;
}
