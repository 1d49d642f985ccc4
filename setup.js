// Makes a clone ready: `npm start` and `npm test` run this first. Plain JavaScript, so that the
// system's Node (20 or newer) can run it before the pinned one is there.
//
//   node setup.js          what a user needs
//   node setup.js --test   what the tests need as well: dev packages, Lua, socat, Chromium, and an
//                          emulator and a compiler for Cortex-M

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const test = process.argv.includes('--test');
const stampFile = join(root, 'node_modules', '.whetstone-setup');

/** System programs that only tests need: command → Debian package. */
const SYSTEM = {
  'lua5.1': 'lua5.1',
  'lua5.3': 'lua5.3',
  socat: 'socat',
  chromium: 'chromium',
  'qemu-system-arm': 'qemu-system-arm',
  'arm-none-eabi-gcc': 'gcc-arm-none-eabi',
};

function lockHash() {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json'])
    hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function readStamp() {
  if (!existsSync(stampFile)) return {};
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

function installPackages() {
  const lock = lockHash();
  const stamp = readStamp();
  if (stamp.lock === lock && (stamp.dev || !test)) return;
  const dev = test || stamp.dev === true;
  console.error(`whetstone: installing packages${dev ? ' (with those for tests)' : ''}, once …`);
  const args = [
    'ci',
    '--loglevel=error',
    '--no-audit',
    '--no-fund',
    dev ? '--include=dev' : '--omit=dev',
  ];
  // npm runs this script with its own settings in the environment; only these flags shall count.
  // what works is kept until its successor does: npm ci begins by removing it, through a link as well,
  // and what a link shows to may be another clone's
  const modules = join(root, 'node_modules');
  const kept = `${modules}.before`;
  if (isThere(modules)) {
    rmSync(kept, { recursive: true, force: true });
    renameSync(modules, kept);
  }
  const done = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0) {
    if (isThere(kept)) {
      rmSync(modules, { recursive: true, force: true });
      renameSync(kept, modules);
    }
    console.error(
      done.error
        ? `whetstone: cannot run npm (${done.error.code}): install it, then run the same command again`
        : 'whetstone: npm ci failed; see its message above, then run the same command again',
    );
    process.exit(1);
  }
  rmSync(kept, { recursive: true, force: true });
  writeFileSync(stampFile, JSON.stringify({ lock, dev }));
}

function isThere(path) {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function has(command) {
  return (process.env.PATH ?? '').split(':').some((dir) => existsSync(join(dir, command)));
}

function installSystem() {
  const missing = Object.keys(SYSTEM).filter((command) => !has(command));
  if (missing.length === 0) return;
  const packages = missing.map((command) => SYSTEM[command]);
  if (process.getuid?.() === 0 && has('apt-get')) {
    console.error(`whetstone: installing ${packages.join(', ')} for the tests, once …`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    try {
      execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore', env });
      execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
        stdio: 'ignore',
        env,
      });
    } catch {
      // Named below: the tests that need them say 'skipped'.
    }
  }
  const still = missing.filter((command) => !has(command));
  if (still.length > 0) {
    console.error(
      `whetstone: not installed: ${still.join(', ')}; tests that need them say 'skipped'.`,
    );
    console.error(`           to mend: apt-get install ${still.map((c) => SYSTEM[c]).join(' ')}`);
  }
}

installPackages();
if (test) installSystem();
