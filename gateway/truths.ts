import type { Answers } from './answers.ts';
import { breather } from './breathe.ts';
import { GatewayError } from './errors.ts';
import { createLabelImport } from './label-import.ts';
import { type LabelRow, placeRows } from './label-rows.ts';
import type { Clock } from './link/port.ts';
import type { SeenLabel } from './monitor/monitor.ts';
import { isModel } from './store/resolve.ts';
import { sampleText } from './store/sample-name.ts';
import type { Store } from './store/store.ts';
import type { Sample, SampleKey } from './store/types.ts';
import type { Task } from './task.ts';
import type { ImportedLabels } from './views/label.ts';

/** What somebody says a window was. */
export interface Truth {
  sample: number | SampleKey;
  cls: number;
  source: string;
  /** 0 to 1 */
  trust: number;
  /** whom the log names */
  who?: string;
}

/** How labels come in bulk. */
export interface BulkOptions {
  /** of lines that name none */
  source: string;
  withinMs: number;
  /** only say what would become of them */
  dryRun: boolean;
  /** whom the log names */
  who?: string;
  /** how long others may have to wait for it, ms */
  turnMs?: number;
}

/** What windows really were, however late it is said. */
export interface Truths {
  /**
   * @returns the window with the label that counts now
   * @throws GatewayError 'not-found' (no sample of that name), 'not-allowed' (no such class)
   */
  add(label: Truth): Promise<Sample>;
  /**
   * Many at once: the good ones are stored all, or none where that fails; what else the gateway does goes on
   * meanwhile, and may see some of them before the others.
   */
  addRows(rows: readonly LabelRow[], options: BulkOptions): Promise<ImportedLabels>;
  /** Ends what a gateway that was killed has left of {@link Truths.addRows}. */
  resume(): void;
  /**
   * Takes labels of a window back.
   *
   * @param source whose; without it everybody's
   * @throws GatewayError 'not-found' if there are none
   */
  withdraw(key: SampleKey, source?: string, who?: string): Sample;
}

export interface TruthParts {
  task: Task;
  answers: Answers;
  store: Store;
  clock: Clock;
  /** the first truth about a prediction, or a correction of it: for those who count */
  judged: (device: string, seen: SeenLabel, sample: Sample) => void;
  /** labels of a device have changed */
  labelled: (device: string, who?: string) => void;
  /** the raw window of a labelled sample is wanted */
  wanted: (sample: Sample) => void;
}

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

  const bulk = createLabelImport(store, clock);

  /** In the order in which the windows came. */
  function* creditAll(changed: readonly Sample[]): Iterable<void> {
    const inTime = [...changed].sort((a, b) => a.at - b.at);
    for (const device of new Set(inTime.map((found) => found.device))) labelled(device);
    for (const found of inTime) yield credit(found);
  }

  return {
    async add({ sample, cls, source, trust, who }) {
      const found = store.samples.get(sample);
      if (found === undefined) {
        const name = typeof sample === 'number' ? `${sample}` : sampleText(sample);
        throw new GatewayError('not-found', `no sample ${name}`, {
          hint: 'DEVICE/SESSION:SEQ, see: whetstone labels --unlabelled',
        });
      }
      if (!Number.isInteger(cls) || cls < 0 || cls >= answers.count) {
        throw new GatewayError('not-allowed', `class ${cls} is not one of task '${task.name}'`, {
          hint: `there are: ${answers.groups.join(', ')}`,
        });
      }
      await store.labels.add({ sample: found.id, cls, source, trust, at: clock.now() });
      labelled(found.device, who);
      credit(found);
      return store.samples.get(found.id) as Sample;
    },
    async addRows(rows, { source, withinMs, dryRun, who, turnMs }) {
      const breathe = breather(turnMs);
      const options = { source, withinMs, at: clock.now() };
      const where = { store, task, answers };
      const { labels, refused } = await placeRows(rows, where, options, breathe);
      const about = { source, refused: refused.length, ...named(who) };
      const { added, known, overruled, changed } = await bulk.add(labels, about, breathe, dryRun);
      if (!dryRun) for (const _ of creditAll(changed)) await breathe();
      return { added, known, refused, overruled };
    },
    resume() {
      for (const _ of creditAll(bulk.resume()));
    },
    withdraw(key, source, who) {
      const found = store.samples.get(key);
      const name = sampleText(key);
      const at = clock.now();
      const withdrawn =
        found === undefined
          ? 0
          : store.transaction(() => {
              const count = store.labels.withdraw(found.id, source, at);
              const data = {
                sample: name,
                count,
                ...(source !== undefined && { source }),
                ...named(who),
              };
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
}

/** Who wanted it, where that is known. */
const named = (who: string | undefined) => who !== undefined && { who };

/** The class that the monitor was told of a window. */
function known({ label }: Sample): number | undefined {
  return label === null || isModel(label.source) ? undefined : label.cls;
}
