import { randomUUID } from 'node:crypto';
import { unlessFull } from './full-disk.ts';
import type { PlacedLabel } from './label-rows.ts';
import type { Clock } from './link/port.ts';
import { sampleText } from './store/sample-name.ts';
import type { Store } from './store/store.ts';
import type { NewLabel, Sample } from './store/types.ts';

/** A label on its way into the store. */
type Staged = Pick<PlacedLabel, 'id' | 'cls' | 'source' | 'trust' | 'at'> & { sample: number };

/** What is known of an import while it goes on. */
interface Head {
  source: string;
  added: number;
  known: number;
  refused: number;
  who?: string;
}

/** What became of the labels; windows as they were before. */
export interface Imported {
  added: number;
  known: number;
  overruled: string[];
  changed: Sample[];
}

/** Brings labels into the store, all or none, without holding up what else it takes. */
export interface LabelImport {
  /**
   * Many are laid down first, where they count for nothing yet; from then on all of them will count, whatever
   * happens: what a killed gateway, or a full disk, left is done by {@link LabelImport.resume}.
   *
   * @param breathe awaited between two pieces
   * @param dryRun only says what would become of them
   */
  add(
    labels: readonly PlacedLabel[],
    head: Pick<Head, 'source' | 'refused' | 'who'>,
    breathe: () => Promise<void>,
    dryRun: boolean,
  ): Promise<Imported>;
  /** Ends what was laid down whole, and forgets what was not. @returns windows as they were before */
  resume(): Sample[];
}

/** Labels of one transaction: about 20 ms on a small box. */
const BATCH = 128;
const NAME = 'label-import:';

/** What a dry run ends with, so that nothing of it is kept. */
class DryRun extends Error {}

/** @param store where labels go @param clock for the log */
export function createLabelImport(store: Store, clock: Pick<Clock, 'now'>): LabelImport {
  const { states } = store;
  const fresh = (): Imported => ({ added: 0, known: 0, overruled: [], changed: [] });

  /** Writes labels of whole windows, in the transaction that is open. */
  function write(batch: readonly Staged[], sum: Imported): void {
    const before = new Map<number, Sample>();
    /** the last word of each source about each window */
    const said = new Map<string, Staged>();
    for (const label of batch) {
      const found = before.get(label.sample) ?? store.samples.get(label.sample);
      if (found === undefined) continue; // erased meanwhile
      before.set(label.sample, found);
      said.set(`${label.source} ${label.sample}`, label);
      const [isNew] = store.labels.addAll([label as NewLabel]);
      if (isNew && sum.changed.at(-1) !== found) sum.changed.push(found);
      sum[isNew ? 'added' : 'known']++;
    }
    const counts = new Map([...before.keys()].map((id) => [id, store.samples.get(id)?.label?.cls]));
    const lost = [...said.values()].filter(({ sample, cls }) => counts.get(sample) !== cls);
    for (const id of new Set(lost.map(({ sample }) => sample))) {
      sum.overruled.push(sampleText(before.get(id) as Sample));
    }
  }

  function log({ source, ...data }: Head): void {
    if (data.added > 0) store.journal.write('label.imported', source, data, clock.now());
  }

  /** Writes a part that was laid down, and takes it away; the last one is told to the log. */
  function settle(id: string, part: number, batch: readonly Staged[], head: Head, isLast: boolean) {
    return store.transaction(() => {
      const sum = fresh();
      write(batch, sum);
      const now = { ...head, added: head.added + sum.added, known: head.known + sum.known };
      states.removeNow(`${NAME}${id}:${part}`);
      if (isLast) {
        log(now);
        states.removeNow(NAME + id);
      } else states.saveNow(NAME + id, now);
      return { sum, now };
    });
  }

  return {
    async add(labels, about, breathe, dryRun) {
      const batches = batchesOf(labels);
      const all = fresh();
      const take = ({ added, known, overruled, changed }: Imported): void => {
        all.added += added;
        all.known += known;
        for (const name of overruled) all.overruled.push(name);
        for (const sample of changed) all.changed.push(sample);
      };
      let head: Head = { ...about, added: 0, known: 0 };
      if (dryRun || batches.length < 2) {
        for (const batch of batches) {
          await breathe();
          const sum = fresh();
          try {
            store.transaction(() => {
              write(batch, sum);
              if (dryRun) throw new DryRun();

              log({ ...head, added: sum.added, known: sum.known });
            });
          } catch (error) {
            if (!(error instanceof DryRun)) throw error;
          }
          take(sum);
        }
        return all;
      }
      const id = randomUUID();
      try {
        for (const [part, batch] of batches.entries()) {
          await breathe();
          states.saveNow(`${NAME}${id}:${part}`, batch);
        }
        states.saveNow(NAME + id, head);
      } catch (error) {
        unlessFull(() => {
          for (const part of batches.keys()) states.removeNow(`${NAME}${id}:${part}`);
        });
        throw error;
      }
      for (const [part, batch] of batches.entries()) {
        await breathe();
        const { sum, now } = settle(id, part, batch, head, part === batches.length - 1);
        head = now;
        take(sum);
      }
      return all;
    },
    resume() {
      const left = states.loadAll<Head | Staged[]>(NAME);
      const changed: Sample[] = [];
      for (const [id, found] of Object.entries(left)) {
        if (Array.isArray(found)) continue;
        const parts = Object.keys(left)
          .filter((name) => name.startsWith(`${id}:`))
          .map((name) => Number(name.slice(id.length + 1)))
          .sort((a, b) => a - b);
        let head = found;
        for (const part of parts) {
          const isLast = part === parts.at(-1);
          const batch = left[`${id}:${part}`] as Staged[];
          const { sum, now } = settle(id, part, batch, head, isLast);
          head = now;
          changed.push(...sum.changed);
          delete left[`${id}:${part}`];
        }
        delete left[id];
      }
      for (const name of Object.keys(left)) states.removeNow(NAME + name);
      return changed;
    },
  };
}

/** Cuts labels into pieces that have each window whole, in the order in which windows are first named. */
function batchesOf(labels: readonly PlacedLabel[]): Staged[][] {
  const windows = new Map<number, Staged[]>();
  for (const { found, id, cls, source, trust, at } of labels) {
    const own = windows.get(found.id) ?? [];
    windows.set(found.id, own);
    own.push({ id, sample: found.id, cls, source, trust, at });
  }
  const batches: Staged[][] = [];
  for (const own of windows.values()) {
    const last = batches.at(-1);
    if (last === undefined || last.length + own.length > BATCH) batches.push(own);
    else last.push(...own);
  }
  return batches;
}
