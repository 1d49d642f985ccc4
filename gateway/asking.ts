import { boardNames, loadBoard } from './board.ts';
import { championOf, gather, membersOf } from './dataset.ts';
import type { Clock } from './link/port.ts';
import { type Scope, scopeName } from './registry/manifest.ts';
import type { Registry } from './registry/registry.ts';
import type { Store } from './store/store.ts';
import type { Sample, SampleKey } from './store/types.ts';
import type { Task } from './task.ts';
import { learnScores } from './train/choose-windows.ts';
import { createPredictor } from './train/model.ts';
import { selectUseful, type Unlabelled } from './train/select.ts';

/** Where the raw window of an asked sample is: in the store, with its device, or lost. */
export type Whereabouts = 'here' | 'held' | 'gone';

/** What asking gave. */
export interface AskedFor {
  /** in the order of their use: of a smaller budget it would have been the first ones */
  chosen: Sample[];
  /** unlabelled windows that could have been chosen: of which embedding or raw samples are there */
  candidates: number;
  /** unlabelled windows whose raw samples no device holds any more: they cannot teach */
  outOfReach: number;
}

/** Asks people for the labels that teach most, and devices for the raw windows behind them. */
export interface Asking {
  /**
   * Trains a head on the labels that a scope has by now, and goes by its scores in the next choices:
   * those of what the scope runs know nothing of the newest labels. The head goes nowhere.
   */
  learn(scope: Scope): Promise<void>;
  /**
   * Chooses windows of a scope, notes that they were asked for, and fetches those that are still raw
   * on their devices.
   *
   * @param count budget of labels; fewer where there are not as many
   * @param who asks
   */
  ask(count: number, scope: Scope, who: string): AskedFor;
  /** Where the raw window of a sample is. */
  whereabouts(sample: Sample): Whereabouts;
  /** A device said that it holds a raw window no more. */
  gone(key: SampleKey): void;
  /** Fetches again what has not come, and asks by itself where the task says so. */
  tick(): void;
}

export interface AskingParts {
  task: Task;
  store: Store;
  registry: Registry;
  clock: Clock;
  seed: number;
  /** fetches raw windows of a device's present session, if it is connected */
  fetch: (device: string, seqs: readonly number[]) => void;
  /** when the present regime of a device began: earlier windows are of another world */
  regime: (device: string) => number;
  /** devices that are connected now */
  online: () => Iterable<string>;
  wantsLabels: (device: string) => boolean;
}

/** Newest unlabelled windows of a device that are looked at. */
const LOOKED_AT = 1000;
/** Newest labelled windows that others are compared with. */
const COMPARED = 500;
/** A device whose board nobody knows may hold this many windows; the smallest ring of a profile. */
const LEAST_RING = 4;

/** @param parts what there is to choose from, and how a window is fetched */
export function createAsking(parts: AskingParts): Asking {
  const { task, store, registry, clock, fetch, regime, wantsLabels } = parts;
  const rings = new Map(boardNames().map((board) => [board, loadBoard(board).ring]));
  const learned = new Map<string, { version: string; score: (embedding: Int8Array) => number }>();
  const ringOf = (device: string): number =>
    rings.get(store.devices.get(device)?.board ?? '') ?? LEAST_RING;

  /**
   * A device keeps its newest windows raw, acknowledged or not, until newer ones need their place: a
   * sample is held while fewer than a ring's windows have come after it in the same session.
   */
  function whereabouts({ id, device, session, seq, window }: Sample): Whereabouts {
    if (window !== null) return 'here';
    const isNow = store.devices.get(device)?.session === session;
    const after = store.samples.progress(device, session).highest - seq;
    const isGone = (store.asked.get(id)?.goneAt ?? null) !== null;
    return isNow && after < ringOf(device) && !isGone ? 'held' : 'gone';
  }

  async function learn(scope: Scope): Promise<void> {
    learned.delete(scopeName(scope));
    const { champion, data } = gather(parts, scope, regime, parts.seed);
    if (champion === null || data.fresh.length === 0) return;
    const { version, model } = champion;
    const score = await learnScores({ task, champion: model, data, seed: parts.seed });
    if (score !== null) learned.set(scopeName(scope), { version, score });
  }

  function ask(count: number, scope: Scope, who: string): AskedFor {
    const members = membersOf(store, task.name, scope);
    const version = championOf(registry, task.name, scope);
    const newest = learned.get(scopeName(scope));
    const rescore = newest?.version === version ? newest?.score : undefined;
    const see = seerOf(registry, version, task);
    const open = { task: task.name, quarantined: false, order: 'newest' } as const;
    const unlabelled = members.flatMap((device) =>
      store.samples.find({
        ...{ ...open, device, since: regime(device), limit: LOOKED_AT },
        ...{ labelled: false, asked: false },
      }),
    );
    const inReach = unlabelled.filter((sample) => whereabouts(sample) !== 'gone');
    const seen = inReach.flatMap((sample) => {
      const looks = see(sample);
      return looks === undefined ? [] : [{ sample, looks }];
    });
    const labelled = members
      .flatMap((device) =>
        store.samples.find({
          ...{ ...open, device, since: regime(device), limit: COMPARED, labelled: true },
        }),
      )
      .flatMap((sample) => see(sample)?.embedding ?? []);
    const chosen = selectUseful(
      seen.map(({ looks }) =>
        rescore === undefined ? looks : { ...looks, score: rescore(looks.embedding) },
      ),
      { count, seed: parts.seed, labelled },
    ).map((i) => seen[i]!.sample);
    const at = clock.now();
    const asked = { outOfReach: unlabelled.length - inReach.length, candidates: seen.length };
    if (chosen.length > 0) {
      store.transaction(() => {
        store.asked.note(
          chosen.map(({ id }) => id),
          who,
          at,
        );
        const samples = chosen.map((one) => `${one.device}/${one.session}:${one.seq}`);
        store.journal.write('label.asked', scopeName(scope), { who, samples, ...asked }, at);
      });
    }
    for (const device of new Set(chosen.map((sample) => sample.device))) fetchRaw(device);
    return { chosen, ...asked };
  }

  function fetchRaw(device: string): void {
    const session = store.devices.get(device)?.session;
    if (session === undefined) return;
    const seqs = store.asked.waiting(device, session);
    if (seqs.length > 0) fetch(device, seqs);
  }

  return {
    learn,
    ask,
    whereabouts,
    gone(key) {
      const sample = store.samples.get(key);
      const at = clock.now();
      if (sample === undefined || !store.asked.gone(sample.id, at)) return;
      const name = `${key.device}/${key.session}:${key.seq}`;
      store.journal.write('label.gone', key.device, { sample: name }, at);
    },
    tick() {
      const { askedAtOnce } = task.labels;
      for (const device of parts.online()) {
        fetchRaw(device);
        if (askedAtOnce === 0 || !wantsLabels(device)) continue;
        const waiting = store.samples
          .find({ task: task.name, device, since: regime(device), asked: true, labelled: false })
          .filter((sample) => whereabouts(sample) !== 'gone');
        const more = askedAtOnce - waiting.length;
        if (more > 0) ask(more, { kind: 'device', id: device }, 'gateway');
      }
    },
  };
}

/**
 * How a window looks to a version: computed from its raw samples, or what the device sent of it while
 * it ran that version. What another version saw cannot be compared.
 */
function seerOf(
  registry: Registry,
  version: string | null,
  task: Task,
): (sample: Sample) => Unlabelled | undefined {
  if (version === null) return () => undefined;
  const predict = createPredictor(registry.parts(version));
  return ({ window, length, embedding, score, version: ran }) => {
    if (window !== null) {
      const padded = new Int8Array(task.window.samples * task.sensor.axes.length);
      padded.set(window);
      const said = predict(padded, length);
      return { embedding: said.embedding.slice(), score: said.score };
    }
    return embedding !== null && ran === version ? { embedding, score } : undefined;
  };
}
