import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BoxCalls } from './box-calls.ts';
import { GatewayError } from './errors.ts';
import type { BackupView } from './views/box.ts';

const PROGRAM = join(import.meta.dirname, 'cli', 'whetstone.js');

/** Asked at once, at most: each is a process that reads the whole store. */
const WAITING = 4;

/**
 * Answers what is asked about the store as a whole. That reads all of it, so it is done in a process of
 * its own, by the very verbs of the command line, one after the other: the door stays open meanwhile.
 *
 * @param directory data directory
 * @param keyFile of an encrypted store
 * @param now ms since 1970
 */
export function boxService(
  directory: string,
  keyFile: string | undefined,
  now: () => number,
): BoxCalls {
  const key = keyFile === undefined ? [] : ['--key-file', keyFile];
  /** what is under way: who asks for the same waits for it */
  const running = new Map<string, Promise<unknown>>();
  let last: Promise<unknown> = Promise.resolve();

  /** @throws GatewayError 'too-many-requests' */
  async function verb<T>(...args: string[]): Promise<T> {
    const name = args.join(' ');
    const found = running.get(name);
    if (found !== undefined) return found as Promise<T>;
    if (running.size >= WAITING) {
      throw new GatewayError('too-many-requests', 'the store is being read for others', {
        hint: 'ask again when they have their answers',
      });
    }
    const asked = last.then(() => run<T>([...args, '--data-dir', directory, '--json']));
    last = asked.catch(() => {});
    running.set(name, asked);
    const forget = (): void => void running.delete(name);
    asked.then(forget, forget);
    return asked;
  }

  return {
    verify: (head) => verb('verify', ...key, ...(head === undefined ? [] : ['--head', head])),
    audit: ({ since = 0, limit = 50, all = false } = {}) =>
      verb('audit', ...key, `--since=${since}`, `--limit=${limit}`, ...(all ? ['--all'] : [])),
    async backup() {
      const folder = join(directory, 'backups');
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const time = new Date(now()).toISOString().replaceAll(/[:.]/g, '-');
      return verb<BackupView>('backup', join(folder, `whetstone-${time}.backup`));
    },
  };
}

/** Runs a verb and gives what it prints: a check that finds something bad prints it, too. */
function run<T>(args: string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.on('error', reject);
    child.on('close', () => {
      try {
        resolve(JSON.parse(out));
      } catch {
        const line = err.trim().split('\n').at(-1) ?? '';
        reject(new GatewayError('store', line.replace('whetstone: ', '') || `${args[0]} failed`));
      }
    });
  });
}
