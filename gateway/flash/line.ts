import { GatewayError } from '../errors.ts';
import type { Port } from '../link/port.ts';

/** A board's console as text, a character a byte. */
export interface Line {
  readonly name: string;
  /** Resolves when the system has the bytes. */
  write(text: string): Promise<void>;
  /**
   * Waits for what matches, and forgets it and all before it.
   *
   * @throws GatewayError 'port' if the port is lost, or nothing matches in time
   */
  take(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>;
  /** Forgets what has come. */
  clear(): void;
  /** Bytes written and heard so far. */
  readonly bytes: { sent: number; heard: number };
  close(): Promise<void>;
}

/** Between two looks at a queue. */
const FLOW_MS = 2;
/** What is shown of what a board has said, at most. */
const SHOWN = 120;
/** Characters kept while nothing matches: no answer is longer. */
const KEPT = 16_384;
/** Bytes behind a question in which its answer is: far more than a runtime's frames in that time. */
const MOST_HEARD = 2 ** 18;
/** A line on which nothing goes out any more. */
const STUCK_MS = 10_000;

/** What a line can fail by, beside being lost: the code says no more than that it is the port. */
export type Silence = 'silent' | 'flooded';

/** Nothing that matches came. */
export class NoAnswer extends GatewayError {
  readonly why: Silence;
  constructor(why: Silence, message: string) {
    super('port', message, {
      hint: 'is the cable whole, and the board the one that --board names?',
    });
    this.why = why;
  }
}

/**
 * What a board has said, for a message: cut, and without what a terminal would obey.
 *
 * @example shown('a\u001b[2J') // '"a\\u001b[2J"'
 */
export function shown(text = '', most = 60): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  const isPlain = /^[\x20-\x7e…]*$/.test(cut);
  return isPlain ? cut : JSON.stringify(cut.replace(/[\x7f-\u2025\u2027-\uffff]/g, '?'));
}

/**
 * Opens a port as a line of text.
 *
 * @param port closed
 * @param stuckMs how long nothing may go out before the line is given up
 * @throws GatewayError 'port' if it cannot be opened
 */
export async function openLine(port: Port, stuckMs: number = STUCK_MS): Promise<Line> {
  let said = '';
  let lost: GatewayError | undefined;
  let wake: () => void = () => {};
  const bytes = { sent: 0, heard: 0 };
  /** bytes since what was said was last forgotten */
  let heard = 0;
  port.onData((data) => {
    bytes.heard += data.length;
    heard += data.length;
    if (heard > MOST_HEARD) return void wake();
    said = (said + Buffer.from(data).toString('latin1')).slice(-KEPT);
    wake();
  });
  port.onClose((why) => {
    lost = new GatewayError('port', `lost ${port.name} while the board was written`, {
      cause: why,
      hint: 'plug the board in again and run the same command: it begins afresh',
    });
    wake();
  });
  await port.open();
  return {
    name: port.name,
    bytes,
    async write(text) {
      if (lost !== undefined) throw lost;
      port.write(Buffer.from(text, 'latin1'));
      bytes.sent += text.length;
      // what is closed with bytes in its queue forgets them
      let [left, movedAt] = [Number.POSITIVE_INFINITY, Date.now()];
      while (port.flow !== undefined && port.flow.queued > 0 && lost === undefined) {
        if (port.flow.queued < left) [left, movedAt] = [port.flow.queued, Date.now()];
        if (Date.now() - movedAt > stuckMs) {
          throw new GatewayError('port', `the board on ${port.name} takes nothing any more`, {
            hint: 'plug it in again and run the same command: it begins afresh',
          });
        }
        await new Promise((resolve) => setTimeout(resolve, FLOW_MS));
      }
    },
    async take(pattern, timeoutMs) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const match = pattern.exec(said);
        if (match !== null) {
          said = said.slice(match.index + match[0].length);
          return match;
        }
        if (lost !== undefined) throw lost;
        if (heard > MOST_HEARD) {
          const what = `what is on ${port.name} never stops talking: ${shown(said.slice(-SHOWN))}`;
          throw new NoAnswer('flooded', what);
        }
        const left = deadline - Date.now();
        if (left <= 0) {
          const last = said.slice(-SHOWN).trim();
          const instead = last === '' ? 'it said nothing' : `it said: ${shown(last, SHOWN)}`;
          throw new NoAnswer('silent', `no answer on ${port.name}; ${instead}`);
        }
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
    clear() {
      said = '';
      heard = 0;
    },
    close: async () => {
      port.onClose(() => {});
      await port.close();
    },
  };
}
