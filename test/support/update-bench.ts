import { crc32 } from 'node:zlib';
import { plainSuite } from '../../device/core/frame.ts';
import { DONE } from '../../device/core/inputs.ts';
import { CHUNK, OFFER, pack, STATUS, STATUSES } from '../../device/core/messages.ts';
import {
  firstBad,
  headOf,
  partAt,
  RECORD_BYTES,
  slotAt,
  slotStart,
} from '../../device/core/slot.ts';
import {
  COPY,
  ERASE,
  next,
  RUN,
  startUpdate,
  TEST,
  type UpdateConfig,
  type UpdateEffect,
  type UpdateState,
  WRITE,
} from '../../device/core/update.ts';
import { kindOf } from '../../device/kind.ts';
import { tinyModel } from '../../gateway/bench/faults/tiny-model.ts';

const suite = plainSuite(crc32);

/**
 * The update machine on flash of its own, which counts the erases of each page.
 *
 * @param verdict what a self-test of whole parts says: 4 equal, 3 different
 */
export function updateBench(page = 1024, slotPages = 8, verdict = 4) {
  const flash = new Uint8Array((2 + 2 * slotPages) * page).fill(255);
  const erases = new Array<number>(flash.length / page).fill(0);
  const c: UpdateConfig = {
    ...{ page, slotPages, seal: suite.seal, open: suite.open, crc32 },
    read: (at, n) => flash.slice(at, at + n),
    ...{ maxBoots: 3, chunk: 256, retryMs: 2000, kind: kindOf('espruino-linux', 'gesture') },
  };
  const said: string[] = [];
  const sent: number[][] = [];
  const ran: string[] = [];
  let state: UpdateState;

  function carry(effects: UpdateEffect[]): void {
    for (const e of effects) {
      if (e[0] === ERASE) {
        flash.fill(255, e[1], e[1] + page);
        erases[e[1] / page]++;
      }
      if (e[0] === WRITE)
        for (let i = 0; i < e[2].length; i++) flash[e[1] + i] &= e[2][i] as number;
      if (e[0] === COPY) flash.copyWithin(e[2], e[1], e[1] + e[3]);
      if (e[0] === RUN) ran.push(`${e[1].f[0]}:${e[3]}`);
      if (e[0] < ERASE) sent.push([...e] as number[]);
      if (e[0] === STATUS) said.push(STATUSES[(e as unknown as number[])[3] as 1]);
      if (e[0] === TEST) {
        const bad = firstBad(c, e[2], e[1]);
        step(DONE, [bad < 3 ? bad : verdict, e[1]]);
      }
    }
  }
  function step(code: number, f: unknown[], now = 0): void {
    carry(next(state, code, f, now));
  }
  function boot(): void {
    ran.length = 0;
    state = startUpdate(c);
    carry(state.out);
  }
  boot();
  return {
    ...{ c, flash, erases, said, sent, ran, step, boot },
    state: () => state,
    /** Offers a model and answers every want. */
    deliver(model: ReturnType<typeof tinyModel>): void {
      step(OFFER, model.offer);
      for (let turn = 0; turn < 999 && state.part < 3; turn++) {
        const { part, at } = state;
        step(CHUNK, [model.offer[0], part, at, model.parts[part]?.slice(at, at + c.chunk)]);
      }
    },
    /** Puts a whole model into a slot, as a finished transfer leaves it. */
    put(slot: number, release: number): void {
      const model = tinyModel(release, release);
      const head = headOf(pack(OFFER, model.offer as never));
      flash.set(slotStart(c, head), slotAt(c, slot));
      for (let p = 0; p < 3; p++) {
        flash.set(model.parts[p] as Uint8Array, slotAt(c, slot) + partAt(head, p));
      }
    },
    /** Writes the first record of an empty log; behind what is told its bytes are their places. */
    record(kind: number, slot: number, boots: number): void {
      flash.fill(255, 0, 2 * page);
      const first = [1, 0, 0, kind, slot, boots];
      const bytes = Uint8Array.from({ length: RECORD_BYTES - 4 }, (_, i) => first[i] ?? i);
      flash.set(suite.seal(bytes), 0);
    },
  };
}
