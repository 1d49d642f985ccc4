import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '../../../errors.ts';

/** A small disk of its own, mounted: real faults of a real file system. */
export interface Disk {
  /** where it is mounted */
  path: string;
  /** Takes all room that is left. */
  fill(): void;
  /** Gives it back. */
  makeRoom(): void;
  /** Makes it read-only under those who write to it, as Linux does when a disk fails. */
  breakIt(): void;
  /** Mounts it anew, as after a repair; nobody may have it open. */
  mend(): void;
  unmount(): void;
}

const BLOCK = Buffer.alloc(4096, 7);

function run(command: string, ...args: string[]): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (cause) {
    const said = String((cause as { stderr?: Buffer }).stderr ?? '').trim();
    throw new GatewayError('missing-tool', `${command} ${args.join(' ')}: ${said || cause}`, {
      cause,
      hint: 'disks are mounted by root, on a Linux with loop devices and mkfs.ext4',
    });
  }
}

/**
 * Makes an ext4 file system in a file and mounts it.
 *
 * @param folder where both lie
 * @param bytes its size
 * @throws GatewayError 'missing-tool' where that cannot be done
 */
export function makeDisk(folder: string, bytes: number): Disk {
  const image = join(folder, 'disk.img');
  const path = join(folder, 'disk');
  const ballast = join(path, 'ballast');
  mkdirSync(path);
  writeFileSync(image, '');
  truncateSync(image, bytes);
  run('mkfs.ext4', '-q', '-m', '0', image);
  const mount = (): void => run('mount', '-o', 'loop', image, path);
  mount();
  return {
    path,
    fill() {
      const file = openSync(ballast, 'w');
      try {
        for (;;) writeSync(file, BLOCK);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(file);
      }
    },
    makeRoom: () => rmSync(ballast, { force: true }),
    // the journal is aborted: whoever has files open for writing gets EROFS from then on
    breakIt: () => run('mount', '-o', 'remount,abort', path),
    mend() {
      run('umount', path);
      mount();
    },
    unmount: () => run('umount', path),
  };
}

/** Whether {@link makeDisk} works here: it takes root, loop devices and mkfs.ext4. */
export function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-mount-'));
  try {
    makeDisk(folder, 2 ** 20).unmount();
    return true;
  } catch (error) {
    if (error instanceof GatewayError) return false;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
