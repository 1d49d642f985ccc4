import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { WINDOW } from '../../../device/core/inputs.ts';
import { CONFIRM, OFFER, REVERT, WELCOME } from '../../../device/core/messages.ts';
import { RECORD_BYTES, slotAt } from '../../../device/core/slot.ts';
import { tinyModel } from '../../../gateway/bench/faults/tiny-model.ts';
import {
  BOOT_TABLE,
  type BootRow,
  STEP_TABLE,
  type StepInput,
  type StepRow,
  updateTables,
} from '../../../gateway/link/update-table.ts';
import { updateBench } from '../../support/update-bench.ts';

const kinds = { none: 0, empty: 0, confirmed: 1, trial: 2 };

/** Rows with 'any' spelled out. */
function spelled(): string[][] {
  const spell = (row: string[], column: number, both: string[]): string[][] =>
    row[column] === 'any' ? both.map((value) => row.with(column, value)) : [row];
  return BOOT_TABLE.map((row: BootRow): string[] => [...row])
    .flatMap((row) => spell(row, 1, ['whole', 'broken']))
    .flatMap((row) => spell(row, 2, ['yes', 'no']))
    .flatMap((row) => spell(row, 3, ['whole', 'broken']));
}

describe('BOOT_TABLE', () => {
  test.each(spelled())(
    'newest record %s, its slot %s, boots left %s, other slot %s: runs %s',
    (newest, its, left, other, runs, written) => {
      for (const slot of [0, 1]) {
        const b = updateBench();
        b.put(slot, 5);
        b.put(1 - slot, 4);
        if (its === 'broken') b.flash[slotAt(b.c, slot) + 300] ^= 255;
        if (other === 'broken') b.flash[slotAt(b.c, 1 - slot) + 300] ^= 255;
        const kind = kinds[newest as keyof typeof kinds];
        b.record(kind, slot, left === 'yes' ? 2 : 3);
        if (newest === 'none') b.flash.fill(255, 0, 2 * b.c.page);
        b.boot();
        const to = written.startsWith('confirmed') ? 1 : written.startsWith('trial') ? 2 : 0;
        const release = { nothing: 0, 'its slot': 5, 'the other': 4 }[runs];
        expect(b.ran.at(-1)).toBe(`${release}:${to}`);
        const record = [0, RECORD_BYTES, b.c.page].map((at) => b.c.read(at, RECORD_BYTES));
        const found = record.find((r) => b.c.open(r) !== undefined && r[0] === b.state().made);
        const where = { nothing: 2, 'its slot': slot, 'the other': 1 - slot }[runs];
        expect([found?.[3], found?.[4]]).toEqual([to, where]);
        const rest = [...found!.slice(6, RECORD_BYTES - 4)];
        if (newest !== 'none') expect(rest).toEqual(rest.map((_, i) => i + 6));
        if (written.includes('boots + 1')) expect(found?.[5]).toBe(left === 'yes' ? 3 : 4);
      }
    },
  );

  test('has each case once', () => {
    const cases = spelled().map((row) => row.slice(0, 4).join());
    expect(new Set(cases).size).toBe(cases.length);
    expect(cases).toHaveLength(4 * 2 * 2 * 2);
  });

  test('is the table in the comment of the machine', () => {
    const source = readFileSync(new URL('../../../device/core/update.ts', import.meta.url), 'utf8');
    const lines = source.split('\n').filter((l) => /^ \* {3}(none|empty|confirmed|trial) /.test(l));
    const rows = lines.map((line) => line.slice(5).trim().split(/ {2,}/));
    expect(rows).toEqual(BOOT_TABLE.map((row) => [...row]));
  });
});

/** A device that runs release 5 as the row says; in its other slot release 4. */
function running(runs: StepRow['runs']) {
  const b = updateBench();
  if (runs !== 'nothing') {
    b.put(0, 5);
    if (runs !== 'trial, the first') b.put(1, 4);
    b.record(runs === 'confirmed' ? 1 : 2, 0, 0);
    b.boot();
  }
  b.step(WELCOME, [1, 2000, 0, 1, 0, 0]);
  b.said.length = 0;
  return b;
}

type Bench = ReturnType<typeof running>;
type Offer = ReturnType<typeof tinyModel>['offer'];

function offer(b: Bench, change: (offer: Offer) => void, release = 9): void {
  const made = structuredClone(tinyModel(release, release).offer);
  change(made);
  b.step(OFFER, made);
}

const inputs: Record<StepInput, (b: Bench) => void> = {
  'offer of a newer release': (b) => offer(b, () => {}),
  'offer of the version that runs': (b) => offer(b, () => {}, 5),
  'offer of an older release': (b) => offer(b, () => {}, 3),
  'offer for another board or task': (b) => offer(b, (o) => o.splice(7, 1, 1)),
  'offer whose time is over': (b) => offer(b, (o) => o.splice(8, 1, 1999)),
  'offer with an empty part': (b) => offer(b, (o) => (o[2][1] as unknown[]).splice(1, 1, 0)),
  'offer with more than 64 golden windows': (b) => offer(b, (o) => o.splice(4, 1, 65)),
  'offer larger than a slot': (b) => offer(b, (o) => (o[2][2] as unknown[]).splice(1, 1, 9999)),
  'confirm of what runs': (b) => b.step(CONFIRM, [5]),
  'confirm of another release': (b) => b.step(CONFIRM, [7]),
  'revert of what runs': (b) => b.step(REVERT, [5]),
  'revert of another release': (b) => b.step(REVERT, [7]),
  'more windows on trial than allowed': (b) => {
    for (let i = 0; i < 20; i++) b.step(WINDOW, []);
  },
};

describe('STEP_TABLE', () => {
  test.each(STEP_TABLE)('$runs, $input: $says, then $after', ({ runs, input, says, after }) => {
    const b = running(runs);
    const before = [b.state().run, b.state().kind, b.state().heads[b.state().run]?.f[0]];
    inputs[input](b);
    expect(b.said).toEqual(says);
    const s = b.state();
    const now = [s.run, s.kind, s.heads[s.run]?.f[0]];
    if (after === 'the one before, confirmed') expect(now).toEqual([1, 1, 4]);
    else if (after === 'the same, confirmed') expect(now).toEqual([before[0], 1, before[2]]);
    else expect(now).toEqual(before);
    expect(s.part < 3).toBe(after === 'the same, and fetches');
  });

  test('has a row for every input', () => {
    const covered = new Set(STEP_TABLE.map(({ input }) => input));
    expect([...covered].sort()).toEqual(Object.keys(inputs).sort());
  });
});

test('updateTables() is what docs/update.md shows', () => {
  const url = new URL('../../../docs/update.md', import.meta.url);
  const text = readFileSync(url, 'utf8');
  const parts = /^([\s\S]*<!-- generated[^\n]*\n)[\s\S]*(<!-- end -->\n[\s\S]*)$/.exec(text);
  const right = `${parts?.[1]}\n${updateTables()}\n\n${parts?.[2]}`;
  if (process.env.UPDATE_DOCS === '1') writeFileSync(url, right);
  else expect(text).toBe(right);
});
