import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Reads a tree like /sys. What is not there is undefined: a sensor may vanish between two calls.
 * What is there and cannot be read, or is no number, is undefined as well, and noted.
 */
export interface SysFiles {
  /** Names in a folder, in order; none where it is not there. */
  names(folder: string): string[];
  text(path: string): string | undefined;
  integer(path: string): number | undefined;
  /** what could not be used since the tree was opened, each with its path and why */
  readonly problems: string[];
}

/** @param root '/' or a folder that looks like it */
export function sysFiles(root: string): SysFiles {
  const problems: string[] = [];
  const forgiveMissing = (path: string, error: unknown): undefined => {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') problems.push(`/${path}: ${code ?? error}`);
  };

  function text(path: string): string | undefined {
    try {
      return readFileSync(join(root, path), 'utf8').trim();
    } catch (error) {
      return forgiveMissing(path, error);
    }
  }

  return {
    problems,
    names(folder) {
      try {
        return readdirSync(join(root, folder)).sort();
      } catch (error) {
        return forgiveMissing(folder, error) ?? [];
      }
    },
    text,
    integer(path) {
      const found = text(path);
      if (found === undefined) return undefined;
      if (/^-?\d{1,15}$/.test(found)) return Number(found);
      problems.push(`/${path}: '${found.slice(0, 20)}' is no integer`);
      return undefined;
    },
  };
}
