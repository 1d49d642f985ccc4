import { crc32 } from 'node:zlib';
import type { BoardProfile } from '../board.ts';
import { GatewayError } from '../errors.ts';
import type { Port } from '../link/port.ts';
import type { BoardConsole } from './board-console.ts';
import { ANSWER, type FoundConsole, findConsole } from './find-console.ts';
import { shown } from './line.ts';
import { packetConsole } from './packets.ts';
import { replConsole } from './repl.ts';
import type { BoardFacts, Payload, Uploader } from './uploader.ts';

/** The first firmware with packets, and the first with all that the runtime uses. */
const PACKETS_SINCE = 2025;
const RUNS_SINCE = 2008;
/** Storage's header before the first file, and what is written of the slot file at once. */
const HEADER = 32;
const PIECE = 192;
/** Read back at a time: the board makes an array of it. */
const CHECKED = 1024;
/** Erasing 8 MB of external flash page by page. */
const ERASE_MS = 240_000;
/** What flashing puts into Storage; anything else is its owner's. */
const OURS = ['ws.slot', 'ws.js', 'ws.json', '.bootcde'];

const RUNTIME = 'ws.js';
const START = 'ws.json';
/** Written last, in one piece: before it is there nothing starts, and the prompt stays. */
const BOOT = '.bootcde';
const BOOT_CODE = `eval(require("Storage").read("${RUNTIME}"))`;

const QUESTION = {
  // leaves a half-typed line; the answer is not in the question, should it be echoed
  text: '\x15\x10print("<"+"board "+process.env.BOARD+" "+process.version+">")\n',
  answer: ANSWER,
};

/** Uploads by Espruino's console: see {@link Uploader}. */
export function espruinoUploader(
  open: (baud: number) => Port,
  board: BoardProfile,
  options: { repl?: boolean; ble?: boolean },
): Uploader {
  const { start, pageBytes } = board.flash;
  const bauds = options.ble ? [board.baud] : [board.consoleBaud ?? board.baud, board.baud];
  let found: FoundConsole | undefined;
  let on: BoardConsole | undefined;

  /** of lines that were closed */
  const total = { sent: 0, heard: 0 };
  const leave = async (): Promise<void> => {
    if (found === undefined) return;
    total.sent += found.line.bytes.sent;
    total.heard += found.line.bytes.heard;
    await found.line.close();
    found = undefined;
  };

  const find = async (): Promise<BoardConsole> => {
    await leave();
    found = await findConsole(open, bauds, QUESTION);
    const version = versionOf(found.answer.split(' ')[1] ?? '');
    if (version < RUNS_SINCE) {
      throw new GatewayError('wrong-board', `firmware ${found.answer} is too old`, {
        hint: 'update it: espruino.com/ChangeLog, then run the same command again',
      });
    }
    const isNew = version >= PACKETS_SINCE && !options.repl;
    on = isNew ? packetConsole(found.line) : replConsole(found.line);
    return on;
  };

  const at = (): BoardConsole => {
    if (on === undefined) throw new RangeError('look at the board first');
    return on;
  };

  async function look(): Promise<BoardFacts> {
    const console = await find();
    const [name = '', version = ''] = (found as FoundConsole).answer.split(' ');
    const facts = await console.evaluate(
      `[process.memory().total,require("Storage").list(),getSerial(),${page(start)}]`,
      10_000,
    );
    if (!isFacts(facts)) throw isNoBoard(facts);
    const [variables, files, serial, area] = facts;
    const has = await console.evaluate(
      '[(function(){try{var c=require("crypto");return[c.AES?1:0,c.SHA1?1:0]}catch(e){return[0,0]}})(),E.convolve?1:0]',
    );
    if (!isAbilities(has)) throw isNoBoard(has);
    return {
      firmware: name,
      version,
      way: console.way,
      serial,
      wasRunning: (found as FoundConsole).wasRunning,
      foreign: files.filter((file) => !OURS.includes(file)).map((file) => shown(file)),
      problems: problemsOf(board, { name, variables, area, has }),
    };
  }

  /** Compares CRC-32s of what lies on the board. */
  async function check(
    what: string,
    expression: (from: number, n: number) => string,
    right: Uint8Array,
  ) {
    for (let from = 0; from < right.length; from += CHECKED) {
      const piece = right.subarray(from, from + CHECKED);
      const crc = await at().evaluate(`E.CRC32(${expression(from, piece.length)})`, 10_000);
      if (crc !== crc32(piece)) {
        throw new GatewayError(
          'port',
          `${what} on the board differs from what was sent at byte ${from}`,
          {
            hint: 'run the same command again; if it differs again, the flash is worn out or the cable bad',
          },
        );
      }
    }
  }

  return {
    look,
    async upload({ runtime, start: options, slot }: Payload, onStep) {
      // what a runtime held of RAM is free after it, and no saved program runs
      await found?.line.write('\x10reset()\n');
      const console = await find();
      onStep('erase Storage', 0);
      await console.evaluate('(require("Storage").eraseAll(),1)', ERASE_MS);
      const size = (3 + 2 * board.slotPages) * pageBytes - HEADER;
      onStep('slot file', 0);
      await console.evaluate(`require("Storage").write("ws.slot","ws",0,${size})`, ERASE_MS);
      await check('Storage', (from, n) => flash(start + from, n), header(size));
      const first = start + pageBytes;
      for (let from = 0; from < slot.length; from += PIECE) {
        const piece = slot.subarray(from, from + PIECE);
        const text = Buffer.from(words(piece)).toString('base64');
        await console.evaluate(`(require("Flash").write(atob("${text}"),${first + from}),1)`);
        onStep('slot file', Math.min(slot.length, from + PIECE));
      }
      await check('the slot file', (from, n) => flash(first + from, n), slot);
      const files: [name: string, bytes: Uint8Array, what: string][] = [
        [RUNTIME, runtime, 'runtime'],
        [START, Buffer.from(JSON.stringify(options)), 'start options'],
        [BOOT, Buffer.from(BOOT_CODE), 'boot code'],
      ];
      for (const [name, bytes, what] of files) {
        onStep(what, 0);
        await console.writeFile(name, bytes, (done) => onStep(what, done));
        const read = `require("Storage").read("${name}"`;
        await check(what, (from, n) => `${read},${from},${n})`, bytes);
      }
    },
    async start() {
      await found?.line.write('\x10load()\n');
    },
    bytes: () => ({
      sent: total.sent + (found?.line.bytes.sent ?? 0),
      heard: total.heard + (found?.line.bytes.heard ?? 0),
    }),
    close: leave,
  };
}

const page = (at: number): string =>
  `(function(){try{return require("Flash").getPage(${at})}catch(e){return null}})()`;

const flash = (at: number, n: number): string => `require("Flash").read(${n},${at})`;

/** @example versionOf('2v25.277') // 2025 */
function versionOf(text: string): number {
  const [, major, minor] = /^(\d+)v(\d+)/.exec(text) ?? [];
  return Number(major ?? 0) * 1000 + Number(minor ?? 0);
}

/** Storage's header of the slot file, in its first eight bytes and a little. */
function header(size: number): Uint8Array {
  const bytes = Buffer.alloc(HEADER);
  bytes.writeUInt32LE(size, 0);
  bytes.write('ws.slot', 4, 'latin1');
  return bytes;
}

function words(bytes: Uint8Array): Uint8Array {
  const filled = new Uint8Array(Math.ceil(bytes.length / 4) * 4).fill(255);
  filled.set(bytes);
  return filled;
}

type Facts = [
  variables: number,
  files: string[],
  serial: string,
  area: { addr: number; length: number } | null,
];
type Abilities = [[aes: number, sha1: number], convolve: number];

/** Names in Storage have 28 letters at most. */
const isName = (value: unknown): boolean => typeof value === 'string' && value.length <= 28;

function isFacts(value: unknown): value is Facts {
  if (!Array.isArray(value)) return false;
  const [variables, files, serial, area] = value as unknown[];
  const isPage = area === null || (typeof area === 'object' && 'addr' in area && 'length' in area);
  const isText = typeof serial === 'string';
  return (
    typeof variables === 'number' && Array.isArray(files) && files.every(isName) && isText && isPage
  );
}

function isAbilities(value: unknown): value is Abilities {
  return Array.isArray(value) && Array.isArray(value[0]);
}

const isNoBoard = (said: unknown): GatewayError =>
  new GatewayError('wrong-board', `this is no Espruino: it says ${shown(JSON.stringify(said))}`, {
    hint: 'name the board that it is: --board, or update its firmware',
  });

/** What keeps a board from running what is built for its profile. */
function problemsOf(
  board: BoardProfile,
  is: {
    name: string;
    variables: number;
    area: { addr: number; length: number } | null;
    has: [[aes: number, sha1: number], convolve: number];
  },
): string[] {
  const { firmware, flash, variables, suites } = board;
  const { start, pageBytes } = flash;
  const [[aes, sha1], convolve] = is.has;
  const [best] = suites;
  const lacks = (best === 'ccm' && !aes) || (best === 'mac' && !sha1);
  return [
    ...(firmware !== undefined && is.name !== firmware
      ? [`it is ${is.name}, not ${firmware}`]
      : []),
    ...(is.variables < variables
      ? [`its firmware has ${is.variables} variables, the profile ${variables}`]
      : []),
    ...(is.area === null || is.area.addr !== start || is.area.length !== pageBytes
      ? [`its flash has no page of ${pageBytes} bytes at ${start}`]
      : []),
    ...(convolve ? [] : ['its firmware lacks E.convolve']),
    ...(lacks ? [`its firmware lacks what the suite ${best} needs`] : []),
  ];
}
