import { setTimeout as wait } from 'node:timers/promises';
import { ESCAPE } from '../../device/core/escape.ts';
import { GatewayError } from '../errors.ts';
import type { Port } from '../link/port.ts';
import { type Line, NoAnswer, openLine } from './line.ts';

/** A console that answers, and how fast its line is. */
export interface FoundConsole {
  line: Line;
  baud: number;
  /** what the board said to the question */
  answer: string;
  /** a runtime had to give it back */
  wasRunning: boolean;
}

/** How a family of boards is asked whether it listens. */
export interface Question {
  /** leaves a half-typed line, asks */
  text: string;
  /** its answer; the first group is kept */
  answer: RegExp;
}

/** What a board says it is: its name and version, in letters that no terminal obeys. */
export const ANSWER = /<board ([\w .+-]{1,60})>/;

/** How long a board may take to answer a line. */
const ANSWER_MS = 800;
/** A pause behind the escape makes it the last of what the board reads at once. */
const PAUSE_MS = 250;
/** A packet that was cut holds Espruino's console for 5 s, and then is given up. */
const PATIENCE_MS = 12_000;

/** Ends what runs, where a program holds the board; asked last, since it also ends what is innocent. */
const BREAK = '\x03';

/**
 * Finds the console of a board: bare, or with a runtime that speaks frames on the same line, which is
 * asked to give it back (see device/core/escape.ts).
 *
 * @param open the port, closed, at a speed
 * @param bauds speeds that the console may have, the likeliest first
 * @throws GatewayError 'port' if the port cannot be opened, or nothing answers
 */
export async function findConsole(
  open: (baud: number) => Port,
  bauds: readonly number[],
  { text, answer }: Question,
): Promise<FoundConsole> {
  const until = Date.now() + PATIENCE_MS;
  let name = '';
  let isFlooded = false;
  /** Silence is an answer, noise is none yet: what makes it may be ended. A lost port is neither. */
  const unlessLost = (error: unknown): undefined => {
    if (!(error instanceof NoAnswer)) throw error;
    isFlooded = error.why === 'flooded';
  };
  let escaped = false;
  for (let turn = 0; turn < 2 || Date.now() < until; turn++) {
    for (const baud of new Set(bauds)) {
      const line = await openLine(open(baud));
      name = line.name;
      try {
        for (const before of ['', ESCAPE, ...(turn > 0 ? [BREAK] : [])]) {
          if (before !== '') {
            escaped = true;
            await line.write(before);
            await wait(PAUSE_MS);
          }
          line.clear();
          await line.write(text);
          const found = await line.take(answer, ANSWER_MS).catch(unlessLost);
          if (found !== undefined) {
            return { line, baud, answer: found[1] as string, wasRunning: escaped };
          }
        }
      } catch (error) {
        await line.close();
        throw error;
      }
      await line.close();
    }
  }
  const noise = isFlooded ? ': what is there never stops talking' : '';
  throw new GatewayError('port', `no console answers on ${name}${noise}`, {
    hint: "press the board's button while it starts, and run the same command again; see docs/flashing.md",
  });
}
