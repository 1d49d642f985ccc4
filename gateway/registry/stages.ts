/** Where a version stands. */
export type Stage = 'candidate' | 'trial' | 'champion' | 'retired' | 'rejected' | 'rolledback';

/**
 * Which stage may follow which. A candidate goes on trial, or is refused; a trial ends with the crown
 * or with the way back; a champion retires when another takes its place, and may be restored.
 */
export const stageChanges: Record<Stage, readonly Stage[]> = {
  candidate: ['trial', 'rejected'],
  trial: ['champion', 'rolledback', 'rejected'],
  champion: ['retired', 'rolledback'],
  retired: ['champion', 'trial'],
  rejected: [],
  rolledback: ['trial'],
};
