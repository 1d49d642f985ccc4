import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BoardProfile } from '../board.ts';
import { GatewayError } from '../errors.ts';
import type { Port } from '../link/port.ts';
import { ANSWER, type FoundConsole, findConsole } from './find-console.ts';
import { shown } from './line.ts';
import { adler, quoted } from './lua-text.ts';
import type { BoardFacts, Payload, Uploader } from './uploader.ts';

/** Longest line of input, its end included. @source nodemcu/nodemcu-firmware: app/lua/luaconf.h, LUA_MAXINPUT */
const LINE = 255;
/** Of `ws_w("")`, a line end, and the longest escape. */
const AROUND = 16;
const ANSWER_MS = 4000;
/** Sums over a file, a byte at a time in Lua; and burning the flash store. */
const SLOW_MS = 60_000;

const RUNTIME = 'ws.lua';
const IMAGE = 'ws.img';
/** Gets its name last, when it is whole: before it is there nothing starts, and the prompt stays. */
const BOOT = 'init.lua';
const UNNAMED = 'ws.init';
const MARK = '-- Whetstone starts here';
/** Time in which a pressed button, or a line of input, keeps the console. */
const GRACE_MS = 2000;
/** Not the count of boots: a number of a session that comes again would be taken for the old one. */
const OLD = ['ws.slot', RUNTIME, IMAGE, UNNAMED];

const QUESTION = {
  text: '\nprint("<".."board "..(file.open and "ESP8266" or "ESP32").." ".._VERSION:gsub(" ","-")..">")\n',
  answer: ANSWER,
};

/** Whether numbers are doubles: neither integers nor 32 bits wide. */
const DOUBLES = '3/2==1.5 and 16777217%2==1';

/**
 * Uploads by NodeMCU's Lua console, line by line, each one acknowledged with how much of the file is
 * there: see {@link Uploader}. Where the board's profile says so the runtime is burnt into the Lua
 * flash store, as an image that `luac.cross` of the firmware's own build makes.
 *
 * @source nodemcu/nodemcu-firmware: docs/modules/{file,node,uart}.md, docs/lfs.md. Run on a double of
 *   the modules, by real Lua interpreters
 */
export function nodemcuUploader(
  open: (baud: number) => Port,
  board: BoardProfile,
  options: { luac?: string },
): Uploader {
  let found: FoundConsole | undefined;
  let count = 0;

  /** of lines that were closed */
  const total = { sent: 0, heard: 0 };
  const leave = async (): Promise<void> => {
    if (found === undefined) return;
    total.sent += found.line.bytes.sent;
    total.heard += found.line.bytes.heard;
    await found.line.close();
    found = undefined;
  };

  const find = async (): Promise<FoundConsole> => {
    await leave();
    found = await findConsole(open, [board.baud], QUESTION);
    return found;
  };

  async function evaluate(expression: string, timeoutMs = ANSWER_MS): Promise<string> {
    const { line } = found as FoundConsole;
    const mark = ++count;
    const text = `print("<".. ${mark} ..":"..tostring(${expression})..":".. ${mark} ..">")\n`;
    if (text.length > LINE) throw new RangeError(`too long for a line of NodeMCU: ${text}`);
    line.clear();
    await line.write(text);
    return answerOf(mark, timeoutMs);
  }

  async function answerOf(mark: number, timeoutMs: number): Promise<string> {
    const { line } = found as FoundConsole;
    const answer = new RegExp(
      `<${mark}:([\\s\\S]*?):${mark}>|(?:stdin|lua|input):\\d+: ([^\\r\\n]*)`,
    );
    const [, value, problem] = await line.take(answer, timeoutMs);
    if (problem !== undefined) {
      throw new GatewayError('bad-bundle', `the board refused a line: ${shown(problem)}`);
    }
    return value as string;
  }

  /** Runs statements; `evaluate` with nothing to say. */
  const run = async (statement: string): Promise<void> => {
    const { line } = found as FoundConsole;
    const mark = ++count;
    line.clear();
    const text = `${statement} print("<".. ${mark} ..":ok:".. ${mark} ..">")\n`;
    if (text.length > LINE) throw new RangeError(`too long for a line of NodeMCU: ${text}`);
    await line.write(text);
    await answerOf(mark, ANSWER_MS);
  };

  async function writeFile(name: string, bytes: Uint8Array, onBytes: (done: number) => void) {
    await run(`ws_f=ws_o("${name}","w") ws_n=0`);
    const { line } = found as FoundConsole;
    for (let at = 0; at < bytes.length; ) {
      const [text, next] = quoted(bytes, at, LINE - AROUND);
      line.clear();
      await line.write(`ws_w("${text}")\n`);
      const [, said] = await line.take(/<=(\d+)>|(?:stdin|lua|input):\d+: [^\r\n]*/, ANSWER_MS);
      if (Number(said) !== next) throw differs(name, next);
      at = next;
      onBytes(at);
    }
    await run('ws_f:close() ws_f=nil');
    if ((await evaluate(`ws_a("${name}")`, SLOW_MS)) !== adler(bytes)) throw differs(name, 0);
  }

  async function look(): Promise<BoardFacts> {
    const [firmware = '', version = ''] = (await find()).answer.split(' ');
    const doubles = await evaluate(DOUBLES);
    const boot = await evaluate('ws_b and 1 or file.exists("init.lua")');
    const ours = boot === 'true' && (await evaluate(`(${opening})("init.lua","r"):read(24)`));
    return {
      ...{ firmware, version, way: 'lines of Lua' },
      wasRunning: (found as FoundConsole).wasRunning,
      serial: await evaluate('node.chipid()'),
      foreign: ours !== false && ours !== MARK.slice(0, 24) ? [BOOT] : [],
      problems: [
        ...(firmware !== board.chip ? [`it is an ${firmware}, not an ${board.chip}`] : []),
        ...(doubles !== 'true'
          ? ['its numbers are no doubles: flash a firmware with 64-bit floats']
          : []),
      ],
    };
  }

  /** Helpers for one upload, each shorter than a line. */
  async function prepare(): Promise<void> {
    await run(`ws_o=${opening}`);
    await run('function ws_w(s) ws_f:write(s) ws_n=ws_n+#s print("<="..ws_n..">") end');
    await run(
      'function ws_s(a,b,s) for i=1,#s do a=(a+s:byte(i))%65521 b=(b+a)%65521 end return a,b end',
    );
    await run(
      'function ws_a(n) local f,a,b=ws_o(n,"r"),1,0 local s=f:read(256) ' +
        'while s do a,b=ws_s(a,b,s) s=f:read(256) end f:close() return a..","..b end',
    );
  }

  return {
    look,
    async upload({ runtime, start }: Payload, onStep) {
      const image = board.lfs ? imageOf(runtime, options.luac) : undefined;
      onStep('remove what was there', 0);
      await run(`file.remove("${BOOT}")`);
      for (const name of OLD) await run(`file.remove("${name}")`);
      await prepare();
      const name = image === undefined ? RUNTIME : IMAGE;
      await writeFile(name, image ?? runtime, (done) => onStep('runtime', done));
      if (image !== undefined) {
        // it restarts the board when it is done, and says why when it cannot
        const { line } = found as FoundConsole;
        line.clear();
        await line.write(`(node.LFS and node.LFS.reload or node.flashreload)("${IMAGE}")\n`);
        await find();
        if ((await evaluate(`type((${loading})("ws"))`)) !== 'function') {
          throw new GatewayError(
            'bad-bundle',
            'the board did not take the image for its flash store',
            {
              hint: "is --luac of the same firmware build as the board's?",
            },
          );
        }
        await prepare();
      }
      await writeFile(UNNAMED, Buffer.from(bootCode(board, start)), () => {});
      if ((await evaluate(`file.rename("${UNNAMED}","${BOOT}")`)) !== 'true')
        throw differs(BOOT, 0);
    },
    async start() {
      await found?.line.write('node.restart()\n');
    },
    bytes: () => ({
      sent: total.sent + (found?.line.bytes.sent ?? 0),
      heard: total.heard + (found?.line.bytes.heard ?? 0),
    }),
    close: leave,
  };
}

const opening = '(file.open or io.open)';
const loading = '(node.LFS and node.LFS.get or node.flashindex)';

const differs = (name: string, at: number): GatewayError =>
  new GatewayError('port', `${name} on the board differs from what was sent, before byte ${at}`, {
    hint: 'run the same command again',
  });

/** What starts by itself, after a time in which a button or a line of input can keep the console. */
function bootCode({ lfs, button }: BoardProfile, start: Record<string, unknown>): string {
  const load = lfs ? `${loading}("ws")()` : `dofile("${RUNTIME}")`;
  const held = button === undefined ? 'false' : `gpio and gpio.read(${button})==0`;
  return `${MARK}
if gpio and ${button ?? 'nil'} then gpio.mode(${button ?? 0},gpio.INPUT) end
tmr.create():alarm(${GRACE_MS},tmr.ALARM_SINGLE,function()
if ${held} then print("Whetstone: button held, not started") return end
${load}
whetstone(${luaTable(start)})
end)
`;
}

function luaTable(options: Record<string, unknown>): string {
  const fields = Object.entries(options).map(([key, value]) => {
    if (typeof value === 'number') return `${key}=${value}`;
    if (typeof value !== 'string') {
      throw new GatewayError('not-allowed', `'${key}' of --start is neither number nor text`);
    }
    return `${key}="${quoted(Buffer.from(value), 0, Infinity)[0]}"`;
  });
  return `{${fields.join(',')}}`;
}

/** An image for the flash store, of one module. */
function imageOf(runtime: Uint8Array, luac = process.env.WHETSTONE_LUAC): Uint8Array {
  if (!luac) {
    throw new GatewayError('missing-tool', 'this board runs the bundle from its Lua flash store', {
      hint: 'name luac.cross of its firmware build: --luac PATH, or set WHETSTONE_LUAC',
    });
  }
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-lfs-'));
  try {
    writeFileSync(join(folder, RUNTIME), runtime);
    const made = spawnSync(luac, ['-f', '-o', IMAGE, RUNTIME], { cwd: folder, encoding: 'utf8' });
    if (made.error !== undefined || made.status !== 0) {
      const why = made.error?.message ?? made.stderr.trim().split('\n')[0];
      throw new GatewayError('missing-tool', `${luac} makes no image: ${why}`, {
        hint: "it has to be luac.cross of the firmware's own build: docs/lfs.md of NodeMCU",
      });
    }
    return readFileSync(join(folder, IMAGE));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
