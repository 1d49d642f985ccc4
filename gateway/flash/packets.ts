import { GatewayError } from '../errors.ts';
import { ANSWER_MS, type BoardConsole } from './board-console.ts';
import { type Line, shown } from './line.ts';

const ACK = '\x06';
/** Begins a packet, either way. */
const START = '\x10\x01';
const EVAL = 0x2000;
const FILE_SEND = 0x6000;
const DATA = 0x8000;
const LENGTH = 0x1fff;
/** Firmware 2v25 gives up on a packet after a second: half of what a console of 9,600 baud carries in it. */
const PIECE = 512;
/** The board refuses a packet that is not whole after 5 s; firmware before 2v29 after one or two. */
const PACKET_MS = 7000;
/** A damaged packet ends its file: all of it is sent again. */
const ATTEMPTS = 3;

/**
 * Espruino's console by its packet protocol: every packet is acknowledged. Firmware 2v25 and later.
 *
 * @param line of a board with a prompt and an empty line of input
 * @source espruino/Espruino: README_Protocol.md, 'Packet Transfer'; src/jsinteractive.c, jsiPacketProcess
 */
export function packetConsole(line: Line): BoardConsole {
  async function send(type: number, data: string, timeoutMs: number): Promise<void> {
    if (data.length > LENGTH) throw new RangeError('a packet holds 8,191 bytes at most');
    const head = type + data.length;
    line.clear();
    await line.write(START + String.fromCharCode(head >> 8, head & 255) + data);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are the protocol's
    const [answer] = await line.take(/\x06|\x15/, timeoutMs);
    if (answer === ACK) return;
    const said = await line.take(/Uncaught ([^\r\n]*)/, 300).catch(() => undefined);
    throw new GatewayError(
      'bad-bundle',
      `the board refused a packet: ${shown(said?.[1] ?? 'damaged')}`,
    );
  }

  return {
    way: 'packets',
    async evaluate(expression, timeoutMs = ANSWER_MS) {
      await send(EVAL, `JSON.stringify(${expression})`, timeoutMs);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are the protocol's
      const [, high, low] = await line.take(/\x10\x01([\s\S])([\s\S])/, ANSWER_MS);
      const length = ((high!.charCodeAt(0) << 8) | low!.charCodeAt(0)) & LENGTH;
      const [text] = await line.take(new RegExp(`^[\\s\\S]{${length}}`), ANSWER_MS);
      // The board writes the string as a literal of JavaScript, of a text that is JSON: both are read.
      return parse(text);
    },
    async writeFile(name, bytes, onBytes) {
      for (let attempt = 1; ; attempt++) {
        try {
          await send(FILE_SEND, JSON.stringify({ fn: name, s: bytes.length }), PACKET_MS);
          for (let at = 0; at < bytes.length; at += PIECE) {
            const piece = Buffer.from(bytes.subarray(at, at + PIECE)).toString('latin1');
            await send(DATA, piece, PACKET_MS);
            onBytes(Math.min(bytes.length, at + PIECE));
          }
          return;
        } catch (error) {
          if (attempt === ATTEMPTS || !isDamage(error)) throw error;
          await this.evaluate(`require("Storage").erase(${JSON.stringify(name)})||1`);
        }
      }
    },
  };
}

const isDamage = (error: unknown): boolean =>
  error instanceof GatewayError && error.code === 'bad-bundle';

/** Reads a string literal that holds JSON. */
function parse(text: string): unknown {
  if (text === 'undefined') return undefined;
  try {
    const inner = text.slice(1, -1).replace(/\\(["'\\])/g, '$1');
    return JSON.parse(inner);
  } catch (cause) {
    throw new GatewayError(
      'port',
      `the board answered in no way that was expected: ${shown(text)}`,
      {
        cause,
        hint: 'run the same command again',
      },
    );
  }
}
