import { EVENTS, STATUSES } from '../../device/core/messages.ts';
import { unlessFull } from '../full-disk.ts';
import type { DeviceEvent, Status } from '../link/messages.ts';
import type { Monitor } from '../monitor/monitor.ts';
import type { Registry } from '../registry/registry.ts';
import { isRefusal } from '../rollout/refusals.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import type { Store } from '../store/store.ts';
import type { Wear } from '../wear.ts';
import type { JournalWriter } from './journal-writer.ts';
import type { RefusedUpdate } from './refused-updates.ts';
import { CONFIRMED, type Settle } from './settle.ts';

/** What devices say of themselves, beside their windows. */
export interface Hearing {
  /** How its update goes: self-test, trial, confirmed. */
  status(device: string, status: Status): void;
  event(device: string, event: DeviceEvent): void;
  /** It had to drop windows. @param ranges of seqs, ends included */
  lost(device: string, session: number, ranges: readonly [number, number][]): void;
}

/** Who is told of it. */
export interface HearingParts {
  store: Store;
  registry: Pick<Registry, 'releaseOf'>;
  now: () => number;
  log: JournalWriter;
  monitor: Pick<Monitor, 'lost'>;
  rollouts: Pick<Rollouts, 'status'>;
  wear: Pick<Wear, 'heard'>;
  refused: (device: string, update: RefusedUpdate) => void;
  settle: Settle;
}

/** Statuses that refuse an update; each is counted under its name. */
const REFUSED = new Set<string>(Object.values(STATUSES).filter(isRefusal));

/** @param parts who is told of it */
export function createHearing(parts: HearingParts): Hearing {
  const { store, registry, now, log, monitor, rollouts, wear, refused, settle } = parts;
  return {
    status(device, { release, code, detail }) {
      const status = STATUSES[code as keyof typeof STATUSES] ?? String(code);
      if (status === 'selftest-equal' || status === 'selftest-different') {
        const equal = status === 'selftest-equal';
        log.tell('device.selftest', device, { release, equal, detail });
      }
      if (REFUSED.has(status)) refused(device, { release, code: status, by: 'device', detail });
      wear.heard(device, release, status, now());
      unlessFull(() => rollouts.status(device, { release, code }));
      if (status !== 'confirmed') return;
      const at = now();
      const version = registry.releaseOf(release)?.version ?? null;
      log.owe(() => store.devices.runs(device, release, version, CONFIRMED, at));
      log.owe(() => settle(device, release));
    },
    event(device, { code, a, b }) {
      const text = EVENTS[code as keyof typeof EVENTS] ?? 'unknown';
      log.tell('device.event', device, { code, a, b, text });
    },
    lost(device, session, ranges) {
      const windows = ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
      const below = Math.max(...ranges.map(([, to]) => to)) + 1;
      const at = now();
      monitor.lost(device, windows);
      const isTold = log.allows(device);
      log.owe(() =>
        store.transaction(() => {
          const { dropped } = store.samples.progress(device, session);
          store.samples.noteDropped(device, session, dropped + windows, below);
          if (isTold) store.journal.write('device.dropped', device, { windows }, at);
        }),
      );
    },
  };
}
