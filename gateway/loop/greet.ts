import { unlessFull } from '../full-disk.ts';
import type { Refusal } from '../link/guard.ts';
import type { Hello } from '../link/messages.ts';
import type { Port } from '../link/port.ts';
import { shortId } from '../registry/manifest.ts';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import { isWeak, type Suite } from '../suites.ts';
import type { Task } from '../task.ts';
import type { Wear } from '../wear.ts';
import type { JournalWriter } from './journal-writer.ts';
import { CONFIRMED, type Settle } from './settle.ts';
import { createTold, type TurnedAway, tooWeak, turnedAway } from './turned-away.ts';

/** The suite of a device's link, and whether it is less than a real board should have. */
export interface DeviceLink {
  suite: Suite;
  weak: boolean;
}

/**
 * Highest release of another gateway that ours are to lie above: whoever says a higher one cannot use up
 * the numbers.
 */
const MOST_FOREIGN = 2 ** 30;

/** What a device says that it runs. */
export type Runs = Pick<Hello, 'release' | 'version'>;

/** Who may take part. */
export interface Greeting {
  /**
   * A device says hello: it is noted. What it runs counts as no model (release 0) where another
   * gateway gave it: that one may have used a number of ours for another version, or one that we come to.
   *
   * @returns the hello as it counts; undefined for one of another task, or whose link is too weak
   */
  greet(hello: Hello, port: Port, suite: Suite): Hello | undefined;
  /**
   * The release that what a device says it runs counts as: its own where this gateway made it, the newest
   * of the version where that has another number (a slot's image), 0 for what another gateway gave it.
   */
  countsAs(runs: Runs): number;
  /** The link itself has turned somebody away. */
  refused(refusal: Refusal, port: Port): void;
  /** How a device's link is secured; undefined for one that has not been greeted. */
  linkOf(device: string): DeviceLink | undefined;
  forget(device: string): void;
}

/** What is known of devices, and where it is noted. */
export interface GreetingParts {
  task: Pick<Task, 'name'>;
  store: Store;
  registry: Pick<Registry, 'releaseOf' | 'find' | 'latestRelease'>;
  now: () => number;
  /** real boards may speak under weaker suites than theirs */
  allowWeakLink: boolean;
  wear: Pick<Wear, 'booted'>;
  log: Pick<JournalWriter, 'write' | 'allows'>;
  settle: Settle;
}

/** @param parts what is known of devices, and where it is noted */
export function createGreeting(parts: GreetingParts): Greeting {
  const { task, store, registry, now, allowWeakLink, wear, log, settle } = parts;
  const links = new Map<string, DeviceLink>();
  const isNews = createTold();

  function refuse(port: Port, away: TurnedAway): undefined {
    const { subject, reason } = away;
    if (isNews(port.name, away)) log.write('device.refused', subject, { reason, port: port.name });
    return undefined;
  }

  const hexOf = (version: Uint8Array): string => Buffer.from(version).toString('hex');
  const isShortOf = (short: Uint8Array, version: string | undefined): version is string =>
    version !== undefined && Buffer.from(short).equals(shortId(version));

  function countsAs({ release, version }: Runs): number {
    if (release === 0 || isShortOf(version, registry.releaseOf(release)?.version)) return release;
    const own = registry.find(hexOf(version));
    return isShortOf(version, own) ? (registry.latestRelease(own) ?? 0) : 0;
  }

  return {
    countsAs,
    greet(said, port, suite) {
      const counted = countsAs(said);
      const isOther = counted !== said.release;
      const hello = isOther
        ? { ...said, release: counted, state: counted > 0 ? said.state : 0 }
        : said;
      const { id, session, board, release, state, tier } = hello;
      const at = now();
      if (hello.task !== task.name) {
        store.refusals.note(id, 'wrong-task', at);
        const reason = `it is built for task '${hello.task}', not '${task.name}'`;
        return refuse(port, { subject: id, reason });
      }
      const weak = port.virtual !== true && isWeak(board, suite);
      if (weak && !allowWeakLink) {
        return refuse(port, { subject: id, reason: tooWeak(hello, suite) });
      }
      links.set(id, { suite, weak });
      const version = registry.releaseOf(release)?.version ?? null;
      const known = { id, board, task: hello.task, tier, session, release, version, state, at };
      // with one sync of the disk: many may come at once, when power is back. What is owed stays outside:
      // a transaction that fails would take it along
      store.transaction(() => {
        const { journal } = store;
        const { first, restarted } = store.devices.hello(known);
        if (isOther && said.release <= MOST_FOREIGN) {
          store.catalogue.passRelease(said.release);
        }
        if (first || restarted) wear.booted(id, board, at);
        if (!first && !(restarted && log.allows(id))) return;
        if (first) journal.write('device.seen', id, { board, tier, port: port.name }, at);
        else journal.write('device.restarted', id, { session }, at);
        if (!isOther) return;
        const version = hexOf(said.version);
        if (isShortOf(said.version, registry.find(version))) return;
        journal.write('device.foreign', id, { release: said.release, version }, at);
      });
      if (state === CONFIRMED) settle(id, release);
      return hello;
    },
    refused(refusal, port) {
      if (refusal.why === 'impostor') {
        unlessFull(() => store.refusals.note(refusal.device, 'impostor', now()));
      }
      const removed = (id: string) => store.keys.knows(id) && store.keys.get(id) === undefined;
      refuse(port, turnedAway(refusal, port.name, removed));
    },
    linkOf: (device) => links.get(device),
    forget: (device) => void links.delete(device),
  };
}
