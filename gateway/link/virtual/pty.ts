import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '../../errors.ts';

/** Two pseudo-terminals joined by a cable. */
export interface PtyPair {
  a: string;
  b: string;
  /** Pulls the cable: both devices vanish. */
  close(): Promise<void>;
}

/** Whether there is what makes them. */
export const hasSocat = (): boolean => spawnSync('socat', ['-V']).status === 0;

/** Time that socat may take. */
const PATIENCE_MS = 10_000;

/**
 * Makes a pair of serial devices with socat.
 *
 * @param folder where their names are linked; default a temporary one, removed afterwards
 * @throws GatewayError 'missing-tool' without socat
 */
export async function ptyPair(folder?: string): Promise<PtyPair> {
  const made = folder === undefined ? mkdtempSync(join(tmpdir(), 'pty-')) : undefined;
  const [a, b] = ['a', 'b'].map((end) => join(folder ?? made!, end)) as [string, string];
  const ends = [a, b].map((link) => `pty,raw,echo=0,link=${link}`);
  const socat = spawn('socat', ends, { stdio: 'ignore' });
  let failed: unknown;
  const exited = new Promise<void>((resolve) => {
    socat.once('exit', () => resolve());
    socat.once('error', (error) => {
      failed = error;
      resolve();
    });
  });
  for (const begun = Date.now(); !(existsSync(a) && existsSync(b)); ) {
    if (failed !== undefined || Date.now() - begun > PATIENCE_MS) {
      socat.kill('SIGTERM');
      throw new GatewayError('missing-tool', 'socat made no pseudo-terminals', {
        cause: failed,
        hint: 'install it, for example: sudo apt-get install socat',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    ...{ a, b },
    close: async () => {
      socat.kill('SIGTERM');
      await exited;
      if (made !== undefined) rmSync(made, { recursive: true, force: true });
    },
  };
}
