import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ended } from '../../gateway/link/virtual/espruino-process.ts';
import { type BoardCable, boardCable, boardEnd } from './board-cable.ts';
import { espruinoPath } from './run-espruino.ts';

/** A board on a cable: bare at first. */
export interface TestBoard {
  cable: BoardCable;
  /** what `--start` has to say of this board */
  start: Record<string, unknown>;
  /** Power off and on again; its flash stays. */
  restart(): Promise<void>;
  /** Lets time pass on it, faster than it does. */
  pass(ms: number): void;
  /** Hands the device a finished window, beside the link. */
  feed(values: Int8Array, length: number, label?: number): void;
  /** Everything said beside the link. */
  said(): string;
  close(): Promise<void>;
}

/**
 * A real Espruino without anything in its Storage, its prompt on a serial port as a bare board has it.
 * Linux begins with the prompt on standard input: one line there moves it, unless saved code runs.
 */
export async function bareEspruino(): Promise<TestBoard> {
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-board-'));
  const own = await boardEnd(folder);
  const start = { serial: { path: own.path } };
  let child: ChildProcess;
  let said = '';
  const boot = (): void => {
    child = spawn(espruinoPath() as string, [], { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin!.on('error', () => {});
    child.stdout!.on('data', (data: Buffer) => {
      said += data.toString('latin1');
    });
    child.stdin!.write(
      `if(!require("Storage").read(".bootcde")){Serial1.setup(115200,${JSON.stringify(start.serial)});E.setConsole("Serial1")}\n`,
    );
  };
  boot();
  const cable = await boardCable(folder, own);
  return {
    cable,
    start,
    restart: async () => {
      await ended(child);
      boot();
    },
    pass: (ms) =>
      void child.stdin!.write(
        `if(!global.realTime){global.realTime=getTime;global.aheadS=0;global.getTime=function(){return realTime()+aheadS}};aheadS+=${ms / 1000}\n`,
      ),
    feed: (values, length, label) =>
      void child.stdin!.write(`W.window(new Int8Array([${values}]),${length},${label})\n`),
    said: () => said,
    close: async () => {
      await ended(child);
      await cable.close();
      await own.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What stands for a NodeMCU board. */
export interface NodemcuOptions {
  /** 'lua5.1' or 'lua5.3' */
  lua: string;
  env?: Record<string, string>;
}

/** Time between two moments of a NodeMCU double. */
const STEP_MS = 20;
/** The double ends with it where a board restarts. */
const RESTARTED = 7;

/** A thin double of a NodeMCU board on a real Lua, its console on a cable: see nodemcu-console.lua. */
export async function bareNodemcu({
  lua,
  env = {},
}: NodemcuOptions): Promise<
  TestBoard & { press(held: boolean): void; write(name: string, text: string): void }
> {
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-board-'));
  let child: ChildProcess;
  let said = '';
  let receiver: (bytes: Uint8Array) => void = () => {};
  let isOn = true;
  const boot = (): void => {
    const mine = spawn(lua, [join(import.meta.dirname, 'nodemcu-console.lua')], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child = mine;
    mine.stdin!.on('error', () => {});
    mine.stderr!.on('data', (data: Buffer) => {
      said += data.toString();
    });
    let rest = '';
    mine.stdout!.on('data', (data: Buffer) => {
      const lines = (rest + data.toString('latin1')).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (line.startsWith('u ')) receiver(Buffer.from(line.slice(2), 'hex'));
        else said += `${line}\n`;
      }
    });
    mine.once('exit', (code) => {
      if (isOn && code === RESTARTED && child === mine) boot();
    });
  };
  const tell = (line: string): void => void child.stdin!.write(`${line}\n`, 'latin1');
  boot();
  const time = setInterval(() => tell(`a ${STEP_MS}`), STEP_MS);
  const cable = await boardCable(folder, {
    write: (bytes) => tell(`u ${Buffer.from(bytes).toString('hex')}`),
    onData: (next) => {
      receiver = next;
    },
  });
  return {
    cable,
    start: {},
    restart: async () => {
      isOn = false;
      await ended(child);
      isOn = true;
      boot();
    },
    write: (name, text) => writeFileSync(join(folder, name), text),
    press: (held) => tell(`g ${held ? 0 : 1}`),
    pass: (ms) => tell(`a ${ms}`),
    feed: (values, length, label) => tell(`x W.window({${values}},${length},${label ?? 'nil'})`),
    said: () => said,
    close: async () => {
      isOn = false;
      clearInterval(time);
      await ended(child);
      await cable.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
