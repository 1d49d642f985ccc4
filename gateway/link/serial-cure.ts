import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';

/** Where udev links ports under names that stay the same: by make and serial number. */
export const BY_ID = '/dev/serial/by-id';

/**
 * The programs of this computer that hold a file open, as far as this user may know.
 *
 * @param path of the file
 * @param proc where the kernel tells of processes
 * @returns such as 'screen (process 1234)'
 */
export function holdersOf(path: string, proc = '/proc'): string[] {
  const real = attempt(() => realpathSync(path));
  if (real === undefined) return [];
  const holders: string[] = [];
  for (const pid of attempt(() => readdirSync(proc)) ?? []) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const folder = join(proc, pid, 'fd');
    // of other users' processes this is not told
    const fds = attempt(() => readdirSync(folder)) ?? [];
    if (!fds.some((fd) => attempt(() => readlinkSync(join(folder, fd))) === real)) continue;
    const name = attempt(() => readFileSync(join(proc, pid, 'comm'), 'utf8').trim()) ?? 'a program';
    holders.push(`${name} (process ${pid})`);
  }
  return holders;
}

/**
 * The command that lets this user open a port.
 *
 * @param path of the port
 * @param groups the system's list of groups
 */
export function permissionCure(path: string, groups = '/etc/group'): string {
  const gid = attempt(() => statSync(path).gid);
  const lines = attempt(() => readFileSync(groups, 'utf8').split('\n')) ?? [];
  const owner = lines.map((line) => line.split(':')).find((fields) => Number(fields[2]) === gid);
  // a port of root's own group opens to nobody by that: the rule gives it to dialout
  const group = owner === undefined || owner[0] === 'root' ? 'dialout' : owner[0];
  const user = attempt(() => userInfo().username) ?? '$USER';
  return (
    `sudo usermod -aG ${group} ${user}, then log in again; ` +
    'or install the rule: sudo cp hardware/gateway/60-whetstone.rules /etc/udev/rules.d/ && ' +
    'sudo udevadm control --reload && sudo udevadm trigger'
  );
}

/**
 * The name of a port that it keeps when it comes back under another number.
 *
 * @param path such as /dev/ttyACM0
 * @param folder of the lasting names
 * @returns undefined where it has none, or is one
 */
export function lastingName(path: string, folder = BY_ID): string | undefined {
  const real = attempt(() => realpathSync(path));
  if (real === undefined || path.startsWith(`${folder}/`)) return undefined;
  for (const name of attempt(() => readdirSync(folder)) ?? []) {
    const link = join(folder, name);
    if (attempt(() => realpathSync(link)) === real) return link;
  }
  return undefined;
}

/** Undefined where the system does not tell. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
