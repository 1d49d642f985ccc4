import { hasSocat } from './pty.ts';

const hasNoble = await import('@stoprocent/noble').then(
  () => true,
  () => false,
);

/** Whether noble can speak with a controller in this computer. */
export const hasBle = hasSocat && hasNoble;

/** What a test's name says when it cannot run. */
export const skippedBle = hasBle
  ? ''
  : ` (skipped: ${hasSocat ? '@stoprocent/noble' : 'socat'} is not installed)`;
