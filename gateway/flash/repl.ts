import { GatewayError } from '../errors.ts';
import { ANSWER_MS, type BoardConsole } from './board-console.ts';
import { type Line, shown } from './line.ts';

/** Bytes of a file in one line: with what is around it, less than half of the smallest input buffer. */
const PIECE = 192;

/**
 * Espruino's console by lines of JavaScript that print their answer, for firmware without packets and
 * lines that are no clean eight bits. A line is sent once the one before was answered.
 *
 * @param line of a board with a prompt and an empty line of input
 * @source espruino/Espruino: README_Protocol.md: DLE at the start of a line turns its echo off
 */
export function replConsole(line: Line): BoardConsole {
  let count = 0;

  const evaluate = async (expression: string, timeoutMs = ANSWER_MS): Promise<unknown> => {
    const mark = ++count;
    line.clear();
    // a mark that the line itself does not show, should it be echoed
    await line.write(`\x10print("<"+${mark}+":"+JSON.stringify(${expression})+":"+${mark}+">")\n`);
    const answer = new RegExp(`<${mark}:([\\s\\S]*?):${mark}>|Uncaught ([^\\r\\n]*)`);
    const [, text, problem] = await line.take(answer, timeoutMs);
    if (problem !== undefined) {
      throw new GatewayError('bad-bundle', `the board refused a line: ${shown(problem)}`);
    }
    try {
      return text === 'undefined' ? undefined : JSON.parse(text as string);
    } catch (cause) {
      throw new GatewayError(
        'port',
        `the board answered in no way that was expected: ${shown(text)}`,
        {
          cause,
          hint: 'run the same command again; is the cable whole?',
        },
      );
    }
  };

  return {
    way: 'lines',
    evaluate,
    async writeFile(name, bytes, onBytes) {
      for (let at = 0; at < bytes.length; at += PIECE) {
        const piece = Buffer.from(bytes.subarray(at, at + PIECE)).toString('base64');
        const size = at === 0 ? bytes.length : 0;
        await evaluate(
          `require("Storage").write(${JSON.stringify(name)},atob("${piece}"),${at},${size})`,
        );
        onBytes(Math.min(bytes.length, at + PIECE));
      }
    },
  };
}
