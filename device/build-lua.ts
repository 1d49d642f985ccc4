import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BuildBoard,
  type BuildTask,
  type Bundle,
  type BundleOf,
  builtOf,
  optionsOf,
} from './build.ts';
import * as everything from './core/options.ts';
import { link } from './lua/link.ts';
import { printLua } from './lua/print.ts';
import { shake } from './lua/shake.ts';
import { shorten } from './lua/shorten.ts';
import { type Node, walk } from './lua/syntax.ts';
import { transpile } from './lua/transpile.ts';

/** Globals of Lua and of NodeMCU that a bundle may use; anything else is a library that is missing. */
const GLOBALS = new Set(
  (
    'W bit error file io load loadstring math node pairs pcall rawset select setmetatable string ' +
    'table tmr tonumber tostring type uart unpack whetstone _G'
  ).split(' '),
);
/** What the prelude has in the place of a module. */
const FLAT = 'device/core/flat.ts';
const NATIVE_FLAT = `
  export type Bytes = number | string | Uint8Array | Int8Array | readonly Bytes[];
  declare const luaFlat: (parts: readonly Bytes[]) => Uint8Array;
  export const flat = luaFlat;
`;
const ENTRY = 'device/nodemcu/entry.ts';

function entry(board: BuildBoard, task: BuildTask): string {
  const { flashStart: _, port: _p, baud: _b, ...built } = builtOf(board, task);
  return `
    import { type LuaDevice, type StartOptions, startWhetstone } from './main.ts';
    declare let whetstone: (this: void, options: StartOptions) => LuaDevice;
    declare let W: LuaDevice;
    const built = ${JSON.stringify({ ...built, uart: 0 })};
    whetstone = (options) => {
      W = startWhetstone(built as Parameters<typeof startWhetstone>[0], options);
      return W;
    };
  `;
}

/**
 * Makes one Lua chunk of modules in TypeScript: typescript-to-lua, then one local for each name, what
 * is never used left out, names shortened.
 *
 * @param path of the first module, from the repository's root
 * @param sources modules that are not on disk, or stand for those that are, by path
 * @param globals names that it may use beside Lua's and NodeMCU's
 * @returns Lua 5.1 that later versions run as well
 * @throws SyntaxError that names what Lua, or the prelude, does not have
 */
export function luaScript(
  path: string,
  sources: Record<string, string>,
  globals: readonly string[] = [],
): Bundle {
  const prelude = readFileSync(join(import.meta.dirname, 'nodemcu', 'prelude.lua'), 'utf8');
  const modules = transpile(path, { [FLAT]: NATIVE_FLAT, ...sources });
  const chunk = link(prelude, modules);
  shake(chunk);
  refuse(chunk, new Set([...GLOBALS, ...globals]));
  shorten(chunk);
  const { code, sizes } = printLua(chunk);
  const report = [...sizes].map(([module, bytes]) => ({ module, bytes }));
  report.sort((a, b) => b.bytes - a.bytes);
  return { code, bytes: Buffer.byteLength(code), report };
}

/**
 * Builds the runtime for one NodeMCU board and one task.
 *
 * @param what board's profile, task, and layers of imported models
 * @returns one script; it defines `whetstone(options)`, which starts the device and sets `W`
 * @throws SyntaxError see luaScript
 */
export function buildLuaBundle({ board, task, types = [] }: BundleOf): Bundle {
  const wanted = optionsOf(board, task, types);
  const lines = Object.keys(everything).map(
    (name) => `export const ${name}: boolean = ${wanted[name] === true};`,
  );
  return luaScript(ENTRY, {
    [ENTRY]: entry(board, task),
    'device/core/options.ts': lines.join('\n'),
  });
}

function refuse(chunk: Node, globals: Set<string>): void {
  walk(chunk, (node) => {
    if (node.type === 'Identifier' && !node.binding && !globals.has(node.name!)) {
      throw new SyntaxError(`not for Lua: the prelude has no ${node.name}`);
    }
  });
}
