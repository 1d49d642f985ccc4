import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporary } from '../support/loop-world.ts';

const root = join(import.meta.dirname, '../..');

/** A clone with packages of an older lock file. @returns its folder, and an empty one for programs */
function clone(): { dir: string; bin: string } {
  const dir = join(temporary(), 'clone');
  const bin = join(dir, '..', 'bin');
  for (const path of [join(dir, 'node_modules', 'old'), bin]) mkdirSync(path, { recursive: true });
  for (const file of ['setup.js', 'package.json', 'package-lock.json']) {
    cpSync(join(root, file), join(dir, file));
  }
  writeFileSync(join(dir, 'node_modules', 'old', 'index.js'), 'works');
  return { dir, bin };
}

function setup(dir: string, path: string) {
  const env = { ...process.env, PATH: path };
  const args = [join(dir, 'setup.js')];
  const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  return { status, lines: stderr.trim().split('\n') };
}

/** npm ci begins by removing what is there, and follows a link. */
function fakeNpm(bin: string, rest: string): string {
  const script = `#!/bin/sh\nrm -rf node_modules/*\nmkdir -p node_modules/new\n${rest}\n`;
  writeFileSync(join(bin, 'npm'), script, { mode: 0o755 });
  return [bin, process.env.PATH].join(delimiter);
}

const old = (dir: string): string => readFileSync(join(dir, 'node_modules/old/index.js'), 'utf8');

describe('setup.js', () => {
  it('keeps the packages that work when npm fails', () => {
    const { dir, bin } = clone();
    const { status, lines } = setup(dir, fakeNpm(bin, 'echo "npm error network" >&2; exit 7'));
    expect(status).toBe(1);
    expect(lines.slice(1)).toEqual([
      'npm error network',
      'whetstone: npm ci failed; see its message above, then run the same command again',
    ]);
    expect(old(dir)).toBe('works');
    expect(readdirSync(join(dir, 'node_modules'))).toEqual(['old']);
    expect(existsSync(join(dir, 'node_modules.before'))).toBe(false);
  });

  it('says in one line that there is no npm, and keeps the packages', () => {
    const { dir, bin } = clone();
    const { status, lines } = setup(dir, bin);
    expect(status).toBe(1);
    expect(lines.slice(1)).toEqual([
      'whetstone: cannot run npm (ENOENT): install it, then run the same command again',
    ]);
    expect(old(dir)).toBe('works');
  });

  it('leaves packages alone that are another clone’s, shown to by a link', () => {
    const { dir, bin } = clone();
    const modules = join(dir, 'node_modules');
    const others = join(dir, '../others');
    renameSync(modules, others);
    symlinkSync(others, modules);
    expect(setup(dir, fakeNpm(bin, 'exit 7')).status).toBe(1);
    expect(lstatSync(modules).isSymbolicLink()).toBe(true);
    expect(old(dir)).toBe('works');
    expect(setup(dir, fakeNpm(bin, '')).status).toBe(0);
    expect(readdirSync(others)).toEqual(['old']);
    expect(readdirSync(modules).sort()).toEqual(['.whetstone-setup', 'new']);
  });

  it('takes the new packages when npm succeeds, and asks npm once', () => {
    const { dir, bin } = clone();
    const path = fakeNpm(bin, 'echo run >> ../runs');
    expect(setup(dir, path).status).toBe(0);
    expect(setup(dir, path).status).toBe(0);
    expect(readFileSync(join(dir, '../runs'), 'utf8')).toBe('run\n');
    expect(readdirSync(join(dir, 'node_modules')).sort()).toEqual(['.whetstone-setup', 'new']);
    expect(readdirSync(dir)).not.toContain('node_modules.before');
  });
});
