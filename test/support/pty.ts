import { hasSocat as found } from '../../gateway/link/virtual/pty.ts';

export { type PtyPair, ptyPair } from '../../gateway/link/virtual/pty.ts';

export const hasSocat = found();

/** What a test's name says when it cannot run. */
export const skippedSocat = hasSocat ? '' : ' (skipped: socat is not installed)';
