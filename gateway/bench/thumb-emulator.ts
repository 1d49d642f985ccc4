import { execFile, execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { HARNESS } from '../../device/native/blobs.ts';
import { GatewayError } from '../errors.ts';

const QEMU = 'qemu-system-arm';
const BOARD = ['-M', 'mps2-an386', '-display', 'none', '-monitor', 'none', '-serial', 'none'];
/** Where harness.ld puts the code under test, and the room it has. */
const CODE_AT = 0x20000000;
const CODE_BYTES = 4096;
/** From this version on, the emulator's switch for single steps has its own option. */
const ONE_INSTRUCTION_SINCE = 8.1;

/** A layer as it lies in a part, from its header on, and what it reads: int8. */
export interface ThumbCall {
  layer: Uint8Array;
  input: Int8Array;
}

/** What the machine code did with one call. */
export interface ThumbResult {
  /** 0, or -1 for a layer that it does not run */
  returned: number;
  /** int8 [heightOut][widthOut][channelsOut] */
  output: Int8Array;
  /** bytes that it changed outside scratch, output and the byte after it: none, or it is wrong */
  stray: number;
  /** instructions executed from the entry to the return, where asked for */
  instructions: number;
}

function version(): number | undefined {
  try {
    const text = execFileSync(QEMU, ['--version'], { encoding: 'utf8' });
    return Number(/version (\d+\.\d+)/.exec(text)?.[1]);
  } catch {
    return undefined;
  }
}

/** Why machine code cannot be run here; undefined where it can. */
export function thumbMissing(): string | undefined {
  return version() === undefined ? `${QEMU} is not installed` : undefined;
}

interface Arena {
  memory: Uint8Array;
  /** where layer, input, output and scratch lie, and sizes of the last two */
  at: { layer: number; input: number; output: number; scratch: number };
  outputBytes: number;
  scratchBytes: number;
}

/** Lays a call out in memory; what lies between is filled, so that stray writes show. */
function layOut({ layer, input }: ThumbCall): Arena {
  const view = new DataView(layer.buffer, layer.byteOffset, layer.byteLength);
  const type = view.getUint8(0);
  const [channelsIn, channelsOut, widthOut] = [4, 6, 10].map((o) => view.getUint16(o, true));
  const plane = type === 5;
  const places = (type === 1 ? 1 : widthOut!) * (plane ? view.getUint16(22, true) : 1);
  const taps = type === 1 ? 0 : view.getUint8(12) * (plane ? view.getUint8(24) : 1);
  const outputBytes = places * channelsOut!;
  const scratchBytes = taps * channelsIn!;
  const align = (at: number): number => Math.ceil(at / 4) * 4;
  const at = { layer: 16, input: align(16 + layer.length), output: 0, scratch: 0 };
  at.output = align(at.input + input.length + 1);
  at.scratch = align(at.output + outputBytes + 1);
  const memory = new Uint8Array(align(at.scratch + scratchBytes + 16)).fill(0xa5);
  memory.set(layer, at.layer);
  memory.set(new Uint8Array(input.buffer, input.byteOffset, input.length), at.input);
  return { memory, at, outputBytes, scratchBytes };
}

function read(arena: Arena, returned: number, after: Uint8Array): ThumbResult {
  const { memory, at, outputBytes, scratchBytes } = arena;
  const inside = (i: number, start: number, bytes: number): boolean =>
    i >= start && i < start + bytes;
  const stray = after.filter(
    (byte, i) =>
      byte !== memory[i] &&
      !inside(i, at.output, returned === 0 ? outputBytes + 1 : 0) &&
      !inside(i, at.scratch, returned === 0 ? scratchBytes : 0),
  ).length;
  const output = Int8Array.from(after.subarray(at.output, at.output + outputBytes));
  return { returned, output, stray, instructions: 0 };
}

/** Instructions of each call: the log has a line for each one executed in the code's room. */
async function countCalls(log: string): Promise<number[]> {
  const calls: number[] = [];
  for await (const line of createInterface({ input: createReadStream(log) })) {
    const pc = /^Trace \d+: \S+ \[[\da-f]+\/([\da-f]+)\//.exec(line)?.[1];
    if (pc !== undefined && Number.parseInt(pc, 16) === CODE_AT) calls.push(0);
    // a line of another kind says that the last one was interrupted before it ran
    calls[calls.length - 1]! += pc === undefined ? -1 : 1;
  }
  return calls;
}

/**
 * Runs machine code with the signature of ws_layer on an emulated Cortex-M4, all calls in one
 * process. Instructions are counted exactly: the emulator translates them one by one and logs each
 * that it executes, those that an IT block skips included.
 *
 * @param code at most 4,096 bytes, entered at its start
 * @param calls see ThumbCall
 * @param options count: also count instructions, at some 100 ns each
 * @throws GatewayError missing-tool if there is no emulator, bad-model if the code faults
 */
export async function runThumb(
  code: Uint8Array,
  calls: readonly ThumbCall[],
  options: { count?: boolean } = {},
): Promise<ThumbResult[]> {
  const found = version();
  if (found === undefined) {
    const hint = 'apt-get install qemu-system-arm';
    throw new GatewayError('missing-tool', `${QEMU} is not installed`, { hint });
  }
  const folder = await mkdtemp(join(tmpdir(), 'whetstone-thumb-'));
  try {
    const arenas = calls.map(layOut);
    const words = (...values: number[]): Uint8Array =>
      new Uint8Array(Uint32Array.from(values).buffer);
    const parts = arenas.flatMap(({ memory, at }) => [
      words(memory.length, at.layer, at.input, at.output, at.scratch),
      memory,
    ]);
    await writeFile(join(folder, 'calls'), Buffer.concat([words(code.length), code, ...parts]));
    await writeFile(join(folder, 'harness.elf'), Buffer.from(HARNESS, 'base64'));
    const single =
      found < ONE_INSTRUCTION_SINCE ? ['-singlestep'] : ['-accel', 'tcg,one-insn-per-tb=on'];
    const range = `${CODE_AT}+${CODE_BYTES}`;
    const count = [...single, '-d', 'exec,nochain', '-dfilter', range, '-D', 'log'];
    const args = [...BOARD, '-semihosting', '-kernel', 'harness.elf'];
    try {
      await promisify(execFile)(QEMU, [...args, ...(options.count ? count : [])], { cwd: folder });
    } catch (cause) {
      throw new GatewayError('bad-model', 'machine code failed on the emulated board', { cause });
    }
    const results = await readFile(join(folder, 'results'));
    const instructions = options.count ? await countCalls(join(folder, 'log')) : [];
    let at = 0;
    return arenas.map((arena, i) => {
      const returned = results.readInt32LE(at);
      const after = results.subarray(at + 4, at + 4 + arena.memory.length);
      at += 4 + arena.memory.length;
      return { ...read(arena, returned, after), instructions: instructions[i] ?? 0 };
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
