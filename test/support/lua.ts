import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle } from '../../device/build.ts';
import { luaScript } from '../../device/build-lua.ts';

/** The Luas that everything is run on: the two that NodeMCU firmwares have. */
export const LUAS = ['lua5.1', 'lua5.3'] as const;

/** Whether a program is installed. */
export function hasLua(command: string): boolean {
  return spawnSync(command, ['-v'], { stdio: 'ignore' }).error === undefined;
}

/** What a test's name says when it cannot run. */
export function skippedLua(command: string): string {
  return hasLua(command) ? '' : ` (skipped: ${command} is not installed)`;
}

/**
 * Runs a script and gives what it printed.
 *
 * @throws Error with what Lua said, if the script fails
 */
export async function runLua(command: string, code: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-lua-'));
  try {
    const script = join(folder, 'script.lua');
    writeFileSync(script, code, 'latin1');
    return await new Promise((resolve, reject) => {
      const child = spawn(command, [script], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      let problem = '';
      child.stdout.on('data', (data: Buffer) => {
        output += data.toString('latin1');
      });
      child.stderr.on('data', (data: Buffer) => {
        problem += data.toString('latin1');
      });
      child.on('error', reject);
      child.on('close', (status) => {
        if (status === 0) resolve(output);
        else reject(new Error(`${command}: ${problem || `exit ${status}`}\n${output.slice(-500)}`));
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Makes a Lua script of a small program over device/core and device/nodemcu, as `build` would; the
 * prelude's `T(hex)` for its bytes and `print` are there.
 *
 * @param program TypeScript; imports are relative to device/nodemcu
 */
export function luaProgram(program: string): Bundle {
  const path = 'device/nodemcu/program.ts';
  const tools = `
    declare const print: (this: void, ...values: unknown[]) => void;
    declare let T: unknown;
  `;
  return luaScript(
    path,
    { [path]: `${program.includes('import') ? '' : 'export {};'}${tools}${program}` },
    ['print', 'T'],
  );
}

/** Bytes as a Lua expression. */
export function luaBytes(bytes: ArrayLike<number>): string {
  return `X"${Buffer.from(Uint8Array.from(bytes)).toString('hex')}"`;
}

/** What `luaBytes` needs in front of it. */
export const UNHEX =
  "function X(s) return (s:gsub('%x%x', function(h) return string.char(tonumber(h, 16)) end)) end\n";
