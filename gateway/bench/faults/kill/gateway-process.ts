import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const program = join(import.meta.dirname, '../../../cli/whetstone.js');

/** A `whetstone start` of its own, and what it says. */
export interface GatewayProcess {
  readonly child: ChildProcess;
  /** everything on its standard output and error so far */
  readonly output: { out: string; err: string };
  /** Resolves when its output holds this. @throws Error with its output if it ends before */
  says(what: string | RegExp): Promise<void>;
  /** Resolves with its exit status (null for a signal) when it has ended. */
  readonly ended: Promise<number | null>;
}

/** @param args behind `whetstone start` */
export function startProcess(...args: string[]): GatewayProcess {
  return startProcessIn({}, ...args);
}

/**
 * Starts it with more in its environment.
 *
 * @param env beside what this process has
 * @param args behind `whetstone start`
 */
export function startProcessIn(env: Record<string, string>, ...args: string[]): GatewayProcess {
  const child = spawn(process.execPath, [program, 'start', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { out: '', err: '' };
  const listeners = new Set<() => void>();
  for (const name of ['out', 'err'] as const) {
    child[`std${name}`]!.on('data', (chunk) => {
      output[name] += String(chunk);
      for (const listener of [...listeners]) listener();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    ...{ child, output, ended },
    says: (what) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const holds =
            typeof what === 'string' ? output.out.includes(what) : what.test(output.out);
          if (!holds) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        void ended.then(() => reject(new Error(`it ended: ${output.out}\n${output.err}`)));
        look();
      }),
  };
}
