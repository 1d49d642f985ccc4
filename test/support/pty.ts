import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Two pseudo-terminals joined by a cable. */
export interface PtyPair {
  a: string;
  b: string;
  /** Pulls the cable: both devices vanish. */
  close(): Promise<void>;
}

export const hasSocat = spawnSync('socat', ['-V']).status === 0;

/** What a test's name says when it cannot run. */
export const skippedSocat = hasSocat ? '' : ' (skipped: socat is not installed)';

/**
 * Makes a pair of serial devices with socat.
 *
 * @param folder where their names are linked; default a temporary one, removed afterwards
 */
export async function ptyPair(folder?: string): Promise<PtyPair> {
  const made = folder === undefined ? mkdtempSync(join(tmpdir(), 'pty-')) : undefined;
  const [a, b] = ['a', 'b'].map((end) => join(folder ?? made!, end));
  const ends = [a, b].map((link) => `pty,raw,echo=0,link=${link}`);
  const socat = spawn('socat', ends, { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => socat.once('exit', () => resolve()));
  for (let tries = 0; !(existsSync(a) && existsSync(b)); tries++) {
    if (tries > 200) throw new Error('socat made no ptys');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    a,
    b,
    close: async () => {
      socat.kill('SIGTERM');
      await exited;
      if (made !== undefined) rmSync(made, { recursive: true, force: true });
    },
  };
}
