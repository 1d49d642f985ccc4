import { RECORD_BYTES } from '../device/core/slot.ts';
import { boardNames, loadBoard } from './board.ts';
import type { Store } from './store/store.ts';
import type { WearView } from './views/device.ts';

/** What the gateway has counted of a device. */
export interface Counted {
  board: string;
  /** sessions: a device draws one at each boot */
  boots: number;
  /** transfers that began: each erases the slot that does not run */
  updates: number;
  /** the one that goes on, as it was counted; '' for none */
  last: string;
}

/** Keeps count of what wears the flash of devices. */
export interface Wear {
  booted(device: string, board: string, at: number): void;
  /**
   * A device says how an update goes: 'accepted' erases a slot, but where it is repeated while the
   * device fetches.
   */
  heard(device: string, release: number, status: string, at: number): void;
  of(device: string): WearView | null;
}

/** Share of the promised erases from which on there is an alarm. */
const WORN = 0.8;
/** Records that an update writes: on trial, then confirmed or back. */
const RECORDS = 2;

/**
 * The most that a page of the slot file was erased. A transfer erases each page of a slot once at
 * most. A boot writes one record into the log, an update two; a log page is erased when the other one
 * is full, or ends in a torn record: not more than once in a record, and by turns.
 *
 * @param counted boots and updates
 * @param pageBytes of the board's flash
 * @param isTorn every boot follows a cut in the middle of a record: the worst that can be
 * @example erasesOf({ boots: 100, updates: 40 }, 4096) // 40
 */
export function erasesOf(
  { boots, updates }: Pick<Counted, 'boots' | 'updates'>,
  pageBytes: number,
  isTorn = false,
): number {
  const records = boots + RECORDS * updates;
  const inPage = Math.floor(pageBytes / RECORD_BYTES);
  const log = isTorn ? records : Math.ceil(records / inPage);
  return Math.max(updates, Math.ceil(log / 2));
}

/** @param store where the counts are kept, and an event says that a device is worn */
export function createWear(store: Store): Wear {
  const boards = new Set(boardNames());
  /** what is counted, and perhaps not stored yet */
  const known = new Map<string, Counted>();
  const name = (device: string): string => `wear:${device}`;
  const load = (device: string): Counted | undefined =>
    known.get(device) ?? store.states.load<Counted>(name(device));

  function change(device: string, at: number, by: (counted: Counted) => Counted): void {
    const before = load(device);
    const fresh = { board: store.devices.get(device)?.board ?? '', boots: 0, updates: 0, last: '' };
    const counted = by(before ?? fresh);
    known.set(device, counted);
    // with the next group: what a full disk swallows is a boot or two
    void store.states.save(name(device), counted).catch(() => {});
    const was = before !== undefined && viewOf(before).worn;
    const view = viewOf(counted);
    if (!view.worn || was) return;
    store.journal.write('device.worn', device, { erases: view.erases, cycles: view.cycles }, at);
  }

  function viewOf(counted: Counted): WearView {
    const { boots, updates, board } = counted;
    const flash = boards.has(board) ? loadBoard(board).flash : undefined;
    const erases = erasesOf(counted, flash?.pageBytes ?? 1024);
    const cycles = flash?.cycles ?? null;
    const share = cycles === null ? null : erases / cycles;
    return { boots, updates, erases, cycles, share, worn: share !== null && share >= WORN };
  }

  return {
    booted: (device, board, at) =>
      change(device, at, (counted) => ({ ...counted, board, boots: counted.boots + 1 })),
    heard(device, release, status, at) {
      const last = status === 'accepted' ? `${store.devices.get(device)?.session}:${release}` : '';
      const before = load(device)?.last ?? '';
      if (before === last) return;
      const updates = last === '' ? 0 : 1;
      change(device, at, (now) => ({ ...now, updates: now.updates + updates, last }));
    },
    of(device) {
      const counted = load(device);
      return counted === undefined ? null : viewOf(counted);
    },
  };
}
