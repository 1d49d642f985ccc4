import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Path of the Linux build of Espruino, from WHETSTONE_ESPRUINO; undefined if there is none. */
export function espruinoPath(): string | undefined {
  return process.env.WHETSTONE_ESPRUINO || undefined;
}

/** What a test's name says when it cannot run. */
export const skippedEspruino = espruinoPath() ? '' : ' (skipped: WHETSTONE_ESPRUINO is not set)';

/**
 * Runs a script on the real Espruino and gives what it printed, without the banner.
 *
 * @param code JavaScript, run once; pending timers are waited for
 * @param options cwd: a directory to keep (Espruino's flash file lies in it), default a temporary
 *   one; timeoutMs: after which the process is killed and the run fails; command: another build with
 *   what runs it, default WHETSTONE_ESPRUINO
 * @throws Error if there is no binary, the script fails, the process dies or time is up
 */
export async function runEspruino(
  code: string,
  options: { cwd?: string; timeoutMs?: number; command?: readonly string[] } = {},
): Promise<string> {
  const binary = espruinoPath();
  const command = options.command ?? (binary === undefined ? [] : [binary]);
  if (command.length === 0) throw new Error('WHETSTONE_ESPRUINO is not set');
  const made = options.cwd === undefined ? await mkdtemp(join(tmpdir(), 'espruino-')) : undefined;
  const cwd = options.cwd ?? made!;
  try {
    const script = join(cwd, 'script.js');
    await writeFile(script, code);
    const { output, ended } = await run([...command, script], cwd, options.timeoutMs ?? 30_000);
    const text = output
      .replaceAll('\r', '')
      .replace(/^[\s\S]*?espruino\.com\/Donate\n+/, '')
      .replace(/>$/, '');
    if (ended !== 'exit 0' || /^Uncaught /m.test(text)) {
      throw new Error(`Espruino: ${ended}\n${text.replaceAll(/ {9,}\^?\n?/g, '').slice(-2000)}`);
    }
    return text;
  } finally {
    if (made !== undefined) await rm(made, { recursive: true, force: true });
  }
}

function run(
  [program, ...args]: string[],
  cwd: string,
  timeoutMs: number,
): Promise<{ output: string; ended: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    const collect = (chunk: Buffer): void => {
      output += chunk.toString('latin1');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const how = signal === null ? `exit ${status}` : `killed by ${signal}`;
      resolve({ output, ended: late ? `still running after ${timeoutMs} ms` : how });
    });
  });
}
