import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Port } from '../../gateway/link/port.ts';
import type { Prediction } from '../../gateway/link/virtual/device.ts';
import { type MiniGateway, miniGateway } from './mini-gateway.ts';

/** A bundle in plain Lua, on the double of a NodeMCU board, with the least of a gateway. */
export interface LuaDevice {
  gateway: MiniGateway;
  port: Port;
  /** Lets time pass on the board, in steps, until all is said. */
  settle(ms?: number): Promise<void>;
  feedWindow(values: Int8Array, n: number, label?: number): Promise<Prediction | undefined>;
  /** Runs a command of nodemcu-host.lua and gives the lines it answered but for bytes sent. */
  run(command: string): Promise<string[]>;
  /** Ends it, as a power cut does. */
  stop(): Promise<void>;
}

export interface LuaDeviceOptions {
  lua: string;
  bundle: string;
  /** its own folder: the slot file lies there */
  cwd: string;
  env?: Record<string, string>;
}

const host = join(import.meta.dirname, 'nodemcu-host.lua');

/**
 * Boots a bundle.
 *
 * @throws Error with what Lua said, if it ends
 */
export async function luaDevice(options: LuaDeviceOptions): Promise<LuaDevice> {
  const { lua, bundle, cwd, env = {} } = options;
  const child: ChildProcess = spawn(lua, [host, bundle, 'lua-1'], {
    cwd,
    env: { ...process.env, ...env },
  });
  let said = '';
  let problem = '';
  let receiver: (bytes: Uint8Array) => void = () => {};
  let answer: { lines: string[]; done: (lines: string[]) => void; fail: (e: Error) => void };
  const waits: (typeof answer)[] = [];
  const early: Uint8Array[] = [];
  child.stderr!.on('data', (data: Buffer) => {
    problem += data.toString();
  });
  child.stdin!.on('error', () => {});
  child.on('close', () => {
    for (const wait of waits.splice(0)) wait.fail(new Error(`${lua} has ended: ${problem}`));
  });
  child.stdout!.on('data', (data: Buffer) => {
    said += data.toString('latin1');
    const lines = said.split('\n');
    said = lines.pop()!;
    for (const line of lines) {
      if (line === '.') {
        const wait = waits.shift();
        wait?.done(wait.lines);
      } else if (line.startsWith('u ')) {
        const bytes = new Uint8Array(Buffer.from(line.slice(2), 'hex'));
        if (isOpen) receiver(bytes);
        else early.push(bytes);
      } else waits[0]?.lines.push(line);
    }
  });
  let isOpen = false;
  const expectAnswer = (): Promise<string[]> =>
    new Promise((done, fail) => waits.push({ lines: [], done, fail }));
  const run = (command: string): Promise<string[]> => {
    if (child.exitCode !== null) throw new Error(`${lua} has ended: ${problem}`);
    const lines = expectAnswer();
    child.stdin!.write(`${command}\n`, 'latin1');
    return lines;
  };
  await expectAnswer();
  const port: Port = {
    virtual: true,
    name: 'nodemcu double',
    open: async () => {
      isOpen = true;
      for (const bytes of early.splice(0)) receiver(bytes);
    },
    write: (bytes) => void run(`u ${Buffer.from(bytes).toString('hex')}`).catch(() => {}),
    close: async () => {
      isOpen = false;
    },
    onData: (next) => {
      receiver = next;
    },
    onClose: () => {},
  };
  const gateway = await miniGateway(port);
  return {
    gateway,
    port,
    run,
    settle: async (ms = 1500) => {
      for (let at = 0; at < ms; at += 50) await run('a 50');
    },
    feedWindow: async (values, n, label) => {
      const how = label === undefined ? `w ${n}` : `l ${n} ${label}`;
      const [line] = (await run(`${how} ${values.join()}`)).filter((l) => l.startsWith('p '));
      if (line === undefined) return undefined;
      const [cls, score] = line.slice(2).split(' ').map(Number);
      return { cls: cls!, score: score! };
    },
    stop: () =>
      new Promise((resolve) => {
        child.once('close', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}
