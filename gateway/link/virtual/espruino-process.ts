import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../../errors.ts';
import type { Port } from '../port.ts';
import { serialPort } from '../serial.ts';
import type { Prediction } from './device.ts';

export interface EspruinoOptions {
  /** the Linux build of Espruino; 'qemu-arm PATH' for one of another processor */
  path: string;
  bundle: { code: string };
  id: string;
  /** its own folder: its flash is the file `espruino.flash` there, kept over restarts */
  cwd: string;
  /** 'reference' to do without native kernels */
  tier?: string;
}

/** A real Espruino, on this computer. */
export interface EspruinoProcess {
  /** the gateway's end of its serial line, a pty */
  readonly port: Port;
  /**
   * Hands a finished window to the device.
   *
   * @returns its prediction; undefined while it runs no model
   * @throws GatewayError 'port' if Espruino has ended
   */
  feedWindow(values: Int8Array, n: number, label?: number): Promise<Prediction | undefined>;
  /**
   * Runs a line of JavaScript on it, once, and gives what it printed.
   *
   * @throws GatewayError 'port' if the line throws, or Espruino has ended
   */
  run(line: string): Promise<string>;
  /** everything on its console so far */
  output(): string;
  /** Ends Espruino and the pty, as a power cut does. */
  stop(): Promise<void>;
}

/** How long Espruino may take to make a pty, to start, or to answer a line. */
const PATIENCE_MS = 20_000;
/** After so long what was asked is taken to be lost. */
const AGAIN_MS = 2_000;
const LINE_FILE = 'line.js';
/** Clears what the console has of a line, and runs the file. */
const RUN_FILE = `\x1b[2Keval(require("fs").readFileSync("${LINE_FILE}"))\n`;

/**
 * Starts a real Espruino with a bundle, its Serial1 on a pty.
 *
 * Its console is standard input, and that is text: windows come in there as JavaScript. The threads of
 * the Linux build lose a character now and then, the more the busier the computer is: what it runs comes
 * in a file, a short line asks for it, again where no answer comes, and it runs once all the same.
 *
 * @throws GatewayError 'missing-tool' without socat or without Espruino; 'bad-bundle' if it ends at
 *   once
 */
export async function spawnEspruino(options: EspruinoOptions): Promise<EspruinoProcess> {
  const { cwd, id } = options;
  const ends = ['device', 'gateway'].map((name) => join(cwd, `pty-${name}`));
  const socat = await launch('socat', [...ends.map((link) => `pty,raw,echo=0,link=${link}`)], cwd, {
    hint: 'install it, for example: sudo apt-get install socat',
  });
  const made = Date.now();
  while (!ends.every((end) => existsSync(end))) {
    if (socat.exitCode !== null || Date.now() - made > PATIENCE_MS) {
      await ended(socat);
      throw new GatewayError('port', `socat made no pty in ${cwd}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const start = { id, serial: { path: ends[0] }, tier: options.tier };
  const script = join(cwd, 'whetstone.js');
  await writeFile(
    script,
    `echo(0);${options.bundle.code}\nwhetstone(${JSON.stringify(start)});` +
      `if(global.W)W.on=function(c,s){W.last=[c,s]};print("<ready>");\n`,
  );
  const device = await launch(options.path, [script], cwd, {
    hint: 'give the path of a Linux build of Espruino',
  }).catch(async (error: unknown) => {
    await ended(socat);
    throw error;
  });
  let output = '';
  let wake: () => void = () => {};
  device.stdout?.on('data', (data: Buffer) => {
    output += data.toString('latin1');
    wake();
  });
  device.once('exit', () => wake());

  /** Asks, and waits until the console shows `mark` after `from`; asks again where that takes long. */
  const until = async (mark: string, from: number, ask = () => {}): Promise<number> => {
    const deadline = Date.now() + PATIENCE_MS;
    let due = Date.now();
    for (;;) {
      const at = output.indexOf(mark, from);
      if (at >= 0) return at;
      const left = deadline - Date.now();
      if (device.exitCode !== null || device.signalCode !== null || left <= 0) {
        const why = left <= 0 ? 'does not answer' : 'has ended';
        const said = output.slice(-300).replace(/\s+/g, ' ');
        throw new GatewayError('port', `Espruino ${id} ${why}: ${said}`);
      }
      if (Date.now() >= due) {
        ask();
        due = Date.now() + AGAIN_MS;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, AGAIN_MS));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };

  const stop = async (): Promise<void> => {
    await port.close();
    await Promise.all([ended(device), ended(socat)]);
  };

  const port: Port = { ...serialPort(ends[1]), virtual: true };
  await until('<ready>', 0).catch(async (cause: unknown) => {
    await stop();
    throw new GatewayError('bad-bundle', `the bundle did not start: ${(cause as Error).message}`, {
      cause,
    });
  });

  let turn: Promise<unknown> = Promise.resolve();
  let count = 0;
  const run = (line: string): Promise<string> => {
    const answer = turn.then(async () => {
      const n = ++count;
      const once = `if(global.$n!=${n}){$n=${n};try{${line}}catch(e){print("<!>"+e)}}`;
      await writeFile(join(cwd, LINE_FILE), `${once};print("<"+${n}+">")`);
      const from = output.length;
      const to = await until(`<${n}>`, from, () => void device.stdin?.write(RUN_FILE));
      const said = output.slice(from, to).trim();
      const thrown = /^<!>(.*)/m.exec(said);
      if (thrown === null) return said;
      throw new GatewayError('port', `Espruino ${id} cannot run '${line}': ${thrown[1]}`);
    });
    turn = answer.catch(() => {});
    return answer;
  };

  return {
    port,
    run,
    output: () => output,
    stop,
    feedWindow: async (values, n, label) => {
      const call = `W.last=0;W.window(new Int8Array([${values}]),${n}${label === undefined ? '' : `,${label}`})`;
      const said = await run(`${call};print("="+W.last)`);
      const [, cls, score] = /=(\d+),(\d+)/.exec(said) ?? [];
      return cls === undefined ? undefined : { cls: Number(cls), score: Number(score) };
    },
  };
}

async function launch(
  command: string,
  args: string[],
  cwd: string,
  { hint }: { hint: string },
): Promise<ChildProcess> {
  // 'qemu-arm PATH' for another processor's; a path may hold spaces itself
  const [program, ...first] = existsSync(command) ? [command] : command.split(' ');
  const child = spawn(program!, [...first, ...args], { cwd, stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin?.on('error', () => {}); // it has ended; whoever waits for it will say so
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(new GatewayError('missing-tool', `cannot run ${command}`, { cause, hint }));
    });
  });
  return child;
}

/** Kills a process and waits for its end. */
export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
