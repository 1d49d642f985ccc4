import type { Handlers } from '../../gateway/link/connect.ts';
import type { DeviceEvent, Hello, Sample, Status } from '../../gateway/link/messages.ts';
import type { Clock } from '../../gateway/link/port.ts';

/** A store in memory that keeps what is committed, as a database would over a restart. */
export interface LinkStore {
  /** by session: each committed seq */
  readonly stored: Map<number, Map<number, Sample>>;
  readonly lost: Map<number, Set<number>>;
  /** seqs that came twice although committed, or although lost */
  readonly wrong: string[];
  readonly hellos: Hello[];
  readonly statuses: Status[];
  readonly events: DeviceEvent[];
  readonly windows: Sample[];
  readonly gone: number[];
  readonly closes: (Error | undefined)[];
  /** Handlers of one gateway process; a new one forgets what was not committed. */
  handlers(): Handlers;
}

/** Samples that are stored, of all sessions. */
export const storedIn = ({ stored }: LinkStore): number =>
  [...stored.values()].reduce((sum, kept) => sum + kept.size, 0);

/** Makes a store that commits after `commitMs` and fails with the given chance. */
export function linkStore(
  clock: Clock,
  options: { commitMs?: () => number; fails?: () => boolean; lateHello?: boolean } = {},
): LinkStore {
  const commitMs = options.commitMs ?? (() => 20);
  const of = <T>(map: Map<number, T>, key: number, make: () => T): T => {
    const found = map.get(key) ?? make();
    map.set(key, found);
    return found;
  };
  let process = 0;
  const store: LinkStore = {
    stored: new Map(),
    lost: new Map(),
    wrong: [],
    hellos: [],
    statuses: [],
    events: [],
    windows: [],
    gone: [],
    closes: [],
    handlers: () => {
      process++;
      const mine = process;
      const seen = new Set<string>();
      const stored = (session: number) => of(store.stored, session, () => new Map());
      const lost = (session: number) => of(store.lost, session, () => new Set());
      return {
        onHello: (hello) => {
          store.hellos.push(hello);
          const { session } = hello;
          const beyond = [...stored(session).keys(), ...lost(session)];
          const known = { ackSeq: 0, beyond };
          return options.lateHello ? Promise.resolve(known) : known;
        },
        onSample: (sample, done) => {
          const key = `${sample.session}/${sample.seq}`;
          if (seen.has(key)) store.wrong.push(`twice in one process: ${key}`);
          if (lost(sample.session).has(sample.seq)) store.wrong.push(`after lost: ${key}`);
          seen.add(key);
          clock.setTimeout(() => {
            if (mine !== process) return;
            if (options.fails?.()) {
              seen.delete(key);
              done(false);
              return;
            }
            stored(sample.session).set(sample.seq, sample);
            done();
          }, commitMs());
        },
        onWindow: (sample) => store.windows.push(sample),
        onGone: (_session, seq) => store.gone.push(seq),
        onLost: (session, ranges) => {
          for (const [from, to] of ranges) {
            for (let seq = from; seq <= to; seq++) {
              if (stored(session).has(seq)) store.wrong.push(`lost though stored: ${seq}`);
              lost(session).add(seq);
            }
          }
        },
        onStatus: (status) => store.statuses.push(status),
        onEvent: (event) => store.events.push(event),
        onClose: (why) => store.closes.push(why),
      };
    },
  };
  return store;
}
