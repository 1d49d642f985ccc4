import type { RolloutStage } from './state.ts';

/** What becomes of a rollout of a version that needs a person's yes. */
export interface ApprovalRow {
  /** where it stands; 'of one device': its scope has no other */
  stage: RolloutStage | 'awaiting-approval, of one device';
  input: ApprovalInput;
  after: RolloutStage;
  /** what the device that went first is told, and the others */
  canary: Told;
  others: Told;
}

export type ApprovalInput =
  | 'the canary soaks, and is as good as before'
  | 'the canary soaks, and is worse'
  | 'a yes'
  | 'a stop'
  | 'a rollback'
  | 'windows, labels and time'
  | 'the gateway starts again'
  | 'a device comes into the scope'
  | 'the canary comes back without it'
  | 'the canary fails its self-test';

type Told = 'nothing' | 'confirm' | 'offer' | 'revert' | 'offer of the one before';

const none = { canary: 'nothing', others: 'nothing' } as const;
const back = { canary: 'offer of the one before', others: 'nothing' } as const;
const waiting = 'awaiting-approval';

/** The one table of a person's yes; `test/gateway/rollout/approval-table.test.ts` runs it. */
export const APPROVAL_TABLE: readonly ApprovalRow[] = [
  {
    ...{ stage: 'canary', input: 'the canary soaks, and is as good as before', after: waiting },
    ...{ canary: 'confirm', others: 'nothing' },
  },
  {
    ...{ stage: 'canary', input: 'the canary soaks, and is worse', after: 'returning' },
    ...{ canary: 'revert', others: 'nothing' },
  },
  { stage: 'canary', input: 'a yes', after: 'canary', ...none },
  {
    ...{ stage: 'canary', input: 'a stop', after: 'returning' },
    ...{ canary: 'revert', others: 'nothing' },
  },
  { stage: waiting, input: 'windows, labels and time', after: waiting, ...none },
  { stage: waiting, input: 'the gateway starts again', after: waiting, ...none },
  { stage: waiting, input: 'a device comes into the scope', after: waiting, ...none },
  {
    ...{ stage: waiting, input: 'the canary comes back without it', after: waiting },
    ...{ canary: 'offer', others: 'nothing' },
  },
  { stage: waiting, input: 'the canary fails its self-test', after: 'returned', ...none },
  {
    ...{ stage: waiting, input: 'a yes', after: 'rest' },
    ...{ canary: 'nothing', others: 'offer' },
  },
  { stage: `${waiting}, of one device`, input: 'a yes', after: 'settled', ...none },
  { stage: waiting, input: 'a stop', after: 'returning', ...back },
  { stage: `${waiting}, of one device`, input: 'a stop', after: 'returning', ...back },
  { stage: waiting, input: 'a rollback', after: 'returning', ...back },
  { stage: 'rest', input: 'a yes', after: 'rest', ...none },
  {
    ...{ stage: 'rest', input: 'a stop', after: 'returning' },
    ...{ canary: 'offer of the one before', others: 'revert' },
  },
  { stage: 'settled', input: 'a stop', after: 'settled', ...none },
  {
    ...{ stage: 'settled', input: 'a rollback', after: 'returning' },
    ...{ canary: 'offer of the one before', others: 'offer of the one before' },
  },
  { stage: 'returning', input: 'a yes', after: 'returning', ...none },
];

/**
 * The table as the documentation shows it.
 *
 * @returns Markdown
 */
export function approvalTable(): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(['stage', 'what comes', 'then', 'the canary is told', 'the others are told']),
    line(Array(5).fill('---')),
    ...APPROVAL_TABLE.map(({ stage, input, after, canary, others }) =>
      line([stage, input, after, canary, others]),
    ),
  ].join('\n');
}
