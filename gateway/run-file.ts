import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where samples, models and keys live when nothing else is said. */
export const DATA_DIR = '.whetstone';

/** How the gateway of a data directory is asked while it runs. */
export interface RunFile {
  url: string;
  pid: number;
  /** its certificate, PEM; null where it speaks no TLS */
  cert: string | null;
}

const nameOf = (directory: string): string => join(directory, 'gateway.json');

/**
 * Says in the data directory how this gateway is asked, so that the command line needs no address.
 *
 * @param directory data directory
 * @returns a function that takes it back
 */
export function writeRunFile(directory: string, file: RunFile): () => void {
  writeFileSync(nameOf(directory), `${JSON.stringify(file)}\n`, { mode: 0o644 });
  return () => rmSync(nameOf(directory), { force: true });
}

/** What {@link writeRunFile} wrote; undefined where there is none, or it cannot be read. */
export function readRunFile(directory: string): RunFile | undefined {
  try {
    const { url, pid, cert } = JSON.parse(readFileSync(nameOf(directory), 'utf8'));
    return typeof url === 'string' ? { url, pid, cert } : undefined;
  } catch {
    return undefined;
  }
}
