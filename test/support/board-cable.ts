import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { ended } from '../../gateway/link/virtual/espruino-process.ts';

/** A serial cable between a board and this computer, that can be pulled and plugged in again. */
export interface BoardCable {
  /** the port of this computer; it vanishes when the cable is pulled */
  path: string;
  /** Pulls it after so many more bytes have gone to the board; 0: now. */
  cutAfter(bytes: number): void;
  /** Resolves once it is pulled. */
  readonly pulled: Promise<void>;
  plug(): Promise<void>;
  close(): Promise<void>;
}

/** The board's end. */
export interface BoardEnd {
  write(bytes: Uint8Array): void;
  onData(receiver: (bytes: Uint8Array) => void): void;
}

/** A pty whose other end is a socket of this process. */
export interface HeldPty {
  path: string;
  inside: Socket;
  end(): Promise<void>;
}

export async function heldPty(folder: string, name: string): Promise<HeldPty> {
  const [path, address] = [join(folder, name), join(folder, `${name}.sock`)];
  const server = createServer();
  const inside = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(address, resolve));
  const socat = spawn('socat', [`pty,raw,echo=0,link=${path}`, `UNIX-CONNECT:${address}`], {
    stdio: 'ignore',
  });
  const socket = await inside;
  server.close();
  socket.on('error', () => {});
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 10));
  return { path, inside: socket, end: () => ended(socat) };
}

/** Connects a board whose own end is already there. */
export async function boardCable(folder: string, board: BoardEnd): Promise<BoardCable> {
  let host: HeldPty | undefined;
  let left = Infinity;
  let pulled = Promise.withResolvers<void>();
  const cut = async (): Promise<void> => {
    const gone = host;
    host = undefined;
    left = Infinity;
    await gone?.end();
    pulled.resolve();
  };
  board.onData((bytes) => host?.inside.write(bytes));
  const plug = async (): Promise<void> => {
    host = await heldPty(folder, 'host');
    pulled = Promise.withResolvers<void>();
    host.inside.on('data', (bytes: Buffer) => {
      board.write(bytes.subarray(0, Math.min(bytes.length, left)));
      left -= bytes.length;
      if (left <= 0) void cut();
    });
  };
  await plug();
  return {
    path: join(folder, 'host'),
    get pulled() {
      return pulled.promise;
    },
    cutAfter(bytes) {
      if (bytes === 0) void cut();
      else left = bytes;
    },
    plug,
    close: cut,
  };
}

/** A pty for a board's own end. */
export async function boardEnd(
  folder: string,
): Promise<BoardEnd & { path: string; close(): Promise<void> }> {
  const pty = await heldPty(folder, 'board');
  return {
    path: pty.path,
    write: (bytes) => void pty.inside.write(bytes),
    onData: (receiver) => void pty.inside.on('data', receiver),
    close: pty.end,
  };
}
