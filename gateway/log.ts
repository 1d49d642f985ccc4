import { fstatSync } from 'node:fs';
import { pino } from 'pino';

/** Where the gateway writes what happens to itself: a message, and what belongs to it. */
export interface Log {
  info(about: object, message: string): void;
  warn(about: object, message: string): void;
  error(about: object, message: string): void;
}

/** How a gateway tells of itself: lines for people, or one JSON object a line. */
export type LogStyle = 'lines' | 'json';

/**
 * Lines for people, but JSON where the journal of systemd reads standard output.
 *
 * @param env JOURNAL_STREAM as systemd sets it: device and inode of the journal's socket
 * @source systemd.exec(5), JOURNAL_STREAM
 */
export function defaultStyle(env: Record<string, string | undefined>, fd = 1): LogStyle {
  if (!env.JOURNAL_STREAM) return 'lines';
  try {
    const { dev, ino } = fstatSync(fd);
    return env.JOURNAL_STREAM === `${dev}:${ino}` ? 'json' : 'lines';
  } catch {
    return 'lines';
  }
}

/** One JSON object a line: `level` by name, `time` in ISO 8601, `msg`. */
export function jsonLog(out: { write(text: string): unknown }): Log {
  return pino(
    {
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (text: string) => void out.write(text) },
  );
}

/** Bad news alone, a line each: good news stands on the terminal already. */
export function lineLog(err: { write(text: string): unknown }): Log {
  const line = (_about: object, message: string): void => void err.write(`whetstone: ${message}\n`);
  return { info() {}, warn: line, error: line };
}
