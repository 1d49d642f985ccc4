import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { StartOptions } from '../calls.ts';
import { explainState, linuxLack } from '../link/ble-radio.ts';
import { holdersOf, permissionCure } from '../link/serial-cure.ts';
import { readRunFile } from '../run-file.ts';
import { type Check, has, lacks } from './checks.ts';

/**
 * Looks at the ports that the configuration names: there, usable, and held by no other program.
 *
 * @param paths of `serial`
 * @param directory data directory: its own gateway may hold them
 */
export function checkPorts(paths: readonly string[], directory: string): Check[] {
  const own = readRunFile(directory)?.pid;
  return paths.map((path) => {
    const name = `port ${path}`;
    const means = 'the gateway waits for it, and its board for the gateway';
    if (!existsSync(path)) {
      const mend = 'plug the board in; what there is: ls -l /dev/serial/by-id';
      return lacks(name, 'not there', means, mend);
    }
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
    } catch {
      return lacks(name, 'no permission', means, permissionCure(path));
    }
    const holders = holdersOf(path).filter((holder) => !holder.includes(`process ${own})`));
    if (holders.length === 0) return has(name, 'can be opened');
    return lacks(name, `held by ${holders.join(', ')}`, means, `end it, or: fuser -v ${path}`);
  });
}

/**
 * Looks at the radio for Bluetooth Low Energy.
 *
 * @param wanted names or addresses of the configuration: with some, a lack is one
 * @param lack what the radio lacks
 */
export function checkBle(wanted: readonly string[], lack: ReturnType<typeof linuxLack>): Check {
  if (lack === undefined) return has('bluetooth', 'a radio that may be used');
  const { message, hint = '' } = explainState(lack);
  if (wanted.length === 0) return has('bluetooth', `${message}; none is configured`);
  const means = `${wanted.join(', ')} cannot be reached`;
  const unit = lack === 'unauthorized' ? '; under systemd: the two lines of the unit' : '';
  return lacks('bluetooth', message, means, hint + unit);
}

/**
 * Looks at the rights of a data directory: for this user alone, and everything in it its owner's.
 *
 * @param directory data directory
 */
export function checkDataDir(directory: string): Check {
  const name = 'data directory';
  if (!existsSync(directory)) return has(name, `${directory} is made at the first start`);
  const { uid, mode } = statSync(directory);
  if (!statSync(directory).isDirectory()) {
    const means = 'the gateway does not start';
    return lacks(name, `${directory} is no directory`, means, 'name another: --data-dir DIR', true);
  }
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    const means = 'the gateway does not start as this user';
    const mend = `run it as its owner (sudo), or: sudo chown -R "$USER" ${directory}`;
    return lacks(name, `${directory} may not be written by this user`, means, mend, true);
  }
  const foreign = readdirSync(directory).filter(
    (file) => statSync(join(directory, file)).uid !== uid,
  );
  if (foreign.length > 0) {
    const means = 'its owner may not write what somebody else (sudo?) left there';
    const mend = `sudo chown -R --reference=${directory} ${directory}`;
    return lacks(name, `not its owner's: ${foreign.join(', ')}`, means, mend, true);
  }
  if ((mode & 0o022) !== 0) {
    const means = 'other users can put a store or keys there';
    return lacks(name, `${directory} may be written by others`, means, `chmod go-w ${directory}`);
  }
  return has(name, directory);
}

/** What a program printed; undefined where it is not installed or failed. */
export type Run = (command: string, ...args: string[]) => string | undefined;

const run: Run = (command, ...args) => {
  const { stdout, status } = spawnSync(command, args, { encoding: 'utf8', timeout: 5000 });
  return status === 0 ? stdout.trim() : undefined;
};

/** When this program was written: no true clock is before it. */
const WRITTEN = Date.UTC(2026, 0, 1);

/**
 * Looks at the clock: releases and certificates end by it, and labels find their windows by it.
 *
 * @param now ms since 1970
 * @param ask runs a program
 */
export function checkClock(now: number, ask: Run = run): Check {
  const means = 'windows get wrong times: labels that come later do not find them';
  const mend = 'sudo timedatectl set-ntp true; without a network: sudo date -s "YYYY-MM-DD HH:MM"';
  const shown = new Date(now).toISOString().slice(0, 19);
  if (now < WRITTEN) return lacks('clock', `${shown} is in the past`, means, mend);
  const answer = ask('timedatectl', 'show', '--property=NTPSynchronized', '--value');
  if (answer === 'yes') return has('clock', `${shown}, synchronised`);
  const tracked = ask('chronyc', '-n', 'tracking');
  if (tracked !== undefined && /^Leap status\s*: Normal$/m.test(tracked)) {
    return has('clock', `${shown}, synchronised by chrony`);
  }
  if (answer === undefined) return has('clock', `${shown}; whether it is synchronised nobody says`);
  return lacks('clock', `${shown}, not synchronised`, means, mend);
}

/** What speeds models up: device files, and USB ids of vendor and product. */
const ACCELERATORS: [name: string, files: string[], usb: string[]][] = [
  ['Coral Edge TPU', ['/dev/apex_0'], ['1a6e:089a', '18d1:9302']],
  ['NVIDIA GPU', ['/dev/nvhost-gpu', '/dev/nvidia0', '/dev/nvgpu/igpu0/ctrl'], []],
  ['Hailo', ['/dev/hailo0'], []],
  ['GPU (DRM)', ['/dev/dri/renderD128'], []],
];

/**
 * Names what could speed models up. Nothing of it is needed, or used yet.
 *
 * @param root of the file system
 */
export function checkAccelerators(root = '/'): Check {
  const usb = join(root, 'sys/bus/usb/devices');
  const ids = (existsSync(usb) ? readdirSync(usb) : []).map((device) =>
    ['idVendor', 'idProduct'].map((file) => readLine(join(usb, device, file))).join(':'),
  );
  const found = ACCELERATORS.filter(
    ([, files, wanted]) =>
      files.some((file) => existsSync(join(root, file))) || wanted.some((id) => ids.includes(id)),
  ).map(([name]) => name);
  const none = 'none; the built-in trainer needs none';
  return has('accelerators', found.length === 0 ? none : `${found.join(', ')}: not used yet`);
}

/** A file of the kernel; '' where it is not there. */
function readLine(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}

/**
 * Looks at what the configuration names on this machine.
 *
 * @param options of `start`
 * @param directory data directory
 */
export function checkBox(options: StartOptions, directory: string): Check[] {
  return [
    ...checkPorts(options.serial ?? [], directory),
    checkBle(options.ble ?? [], linuxLack()),
    checkDataDir(directory),
    checkClock(Date.now()),
    checkAccelerators(),
  ];
}
