/*
 * What the update machine of a device does, as tables: for the documentation, and for the tests, which
 * run every row against the machine itself (device/core/update.ts).
 */

/** A row of what runs after a boot. 'any' stands for each of the values of its column. */
export type BootRow = readonly [
  newest: 'none' | 'empty' | 'confirmed' | 'trial',
  its: 'whole' | 'broken' | 'any',
  left: 'yes' | 'no' | 'any',
  other: 'whole' | 'broken' | 'any',
  runs: 'nothing' | 'its slot' | 'the other',
  written: string,
];

/** By the newest record of the log: what runs after a boot, and what record is written. */
export const BOOT_TABLE: readonly BootRow[] = [
  ['none', 'any', 'any', 'any', 'nothing', 'empty'],
  ['empty', 'any', 'any', 'any', 'nothing', 'empty'],
  ['confirmed', 'whole', 'any', 'any', 'its slot', 'confirmed'],
  ['confirmed', 'broken', 'any', 'whole', 'the other', 'confirmed, other'],
  ['confirmed', 'broken', 'any', 'broken', 'nothing', 'empty'],
  ['trial', 'whole', 'yes', 'any', 'its slot', 'trial, boots + 1'],
  ['trial', 'whole', 'no', 'whole', 'the other', 'confirmed, other (a revert)'],
  ['trial', 'whole', 'no', 'broken', 'its slot', 'trial, boots + 1 (no way back)'],
  ['trial', 'broken', 'any', 'whole', 'the other', 'confirmed, other (a revert)'],
  ['trial', 'broken', 'any', 'broken', 'nothing', 'empty'],
];

/** What a device runs: a release number and whether it is trusted. `before` is in its other slot. */
export type Running = 'nothing' | 'confirmed' | 'trial' | 'trial, the first';

/** A row of what a message does. */
export interface StepRow {
  runs: Running;
  /** what comes */
  input: StepInput;
  /** statuses that are answered, by name */
  says: readonly string[];
  /** what runs afterwards; 'fetches' where it asks for the bytes of an offer meanwhile */
  after: 'the same' | 'the same, confirmed' | 'the one before, confirmed' | 'the same, and fetches';
}

/** What may come to a device that runs release 5, or, before it, 4. */
export type StepInput =
  | 'offer of a newer release'
  | 'offer of the version that runs'
  | 'offer of an older release'
  | 'offer for another board or task'
  | 'offer whose time is over'
  | 'offer with an empty part'
  | 'offer larger than a slot'
  | 'offer with more than 64 golden windows'
  | 'confirm of what runs'
  | 'confirm of another release'
  | 'revert of what runs'
  | 'revert of another release'
  | 'more windows on trial than allowed';

/** What comes to a device, and what it does. */
export const STEP_TABLE: readonly StepRow[] = [
  {
    ...{ runs: 'nothing', input: 'offer of a newer release' },
    ...{ says: ['accepted'], after: 'the same, and fetches' },
  },
  { runs: 'nothing', input: 'confirm of another release', says: [], after: 'the same' },
  { runs: 'nothing', input: 'revert of another release', says: ['reverted'], after: 'the same' },
  {
    ...{ runs: 'confirmed', input: 'offer of a newer release' },
    ...{ says: ['accepted'], after: 'the same, and fetches' },
  },
  {
    ...{ runs: 'confirmed', input: 'offer of the version that runs' },
    ...{ says: ['installed', 'confirmed'], after: 'the same' },
  },
  ...(
    [
      ['offer of an older release', 'refused-release'],
      ['offer for another board or task', 'refused-board'],
      ['offer whose time is over', 'refused-stale'],
      ['offer with an empty part', 'refused-size'],
      ['offer with more than 64 golden windows', 'refused-golden'],
      ['offer larger than a slot', 'no-space'],
    ] as const
  ).map(
    ([input, status]): StepRow => ({ runs: 'confirmed', input, says: [status], after: 'the same' }),
  ),
  { runs: 'confirmed', input: 'confirm of what runs', says: ['confirmed'], after: 'the same' },
  {
    runs: 'confirmed',
    input: 'confirm of another release',
    says: ['confirmed'],
    after: 'the same',
  },
  {
    ...{ runs: 'confirmed', input: 'revert of what runs' },
    ...{ says: ['reverted'], after: 'the one before, confirmed' },
  },
  { runs: 'confirmed', input: 'revert of another release', says: ['reverted'], after: 'the same' },
  { runs: 'trial', input: 'offer of a newer release', says: ['busy'], after: 'the same' },
  {
    ...{ runs: 'trial', input: 'offer of the version that runs' },
    ...{ says: ['installed', 'trial'], after: 'the same' },
  },
  {
    ...{ runs: 'trial', input: 'confirm of what runs' },
    ...{ says: ['confirmed'], after: 'the same, confirmed' },
  },
  { runs: 'trial', input: 'confirm of another release', says: ['trial'], after: 'the same' },
  {
    ...{ runs: 'trial', input: 'revert of what runs' },
    ...{ says: ['reverted'], after: 'the one before, confirmed' },
  },
  { runs: 'trial', input: 'revert of another release', says: ['reverted'], after: 'the same' },
  {
    ...{ runs: 'trial', input: 'more windows on trial than allowed' },
    ...{ says: ['reverted-unconfirmed'], after: 'the one before, confirmed' },
  },
  {
    ...{ runs: 'trial, the first', input: 'revert of what runs' },
    ...{ says: ['refused-release'], after: 'the same' },
  },
  {
    ...{ runs: 'trial, the first', input: 'more windows on trial than allowed' },
    ...{ says: [], after: 'the same' },
  },
];

/**
 * Both tables as the documentation shows them.
 *
 * @returns Markdown
 */
export function updateTables(): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(['newest record', 'its slot', 'boots left', 'other slot', 'runs', 'record written']),
    line(Array(6).fill('---')),
    ...BOOT_TABLE.map(line),
    '',
    line(['runs', 'what comes', 'answer', 'then runs']),
    line(Array(4).fill('---')),
    ...STEP_TABLE.map(({ runs, input, says, after }) =>
      line([runs, input, says.join(', ') || 'nothing', after]),
    ),
  ].join('\n');
}
