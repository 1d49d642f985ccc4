/** What was found on a board before anything is changed. */
export interface BoardFacts {
  /** what its firmware says it is */
  firmware: string;
  version: string;
  /** how it is spoken to */
  way: string;
  /** of its chip, as its firmware writes it; '' where it has none */
  serial: string;
  /** files that flashing would erase and that are not its own */
  foreign: string[];
  /** a runtime gave its console back, and does not run any more */
  wasRunning: boolean;
  /** why it cannot run what is built for the profile; empty where it can */
  problems: string[];
}

/** What a board gets. */
export interface Payload {
  runtime: Uint8Array;
  /** what the runtime is started with */
  start: Record<string, unknown>;
  /** slot file from its first whole page on: see gateway/slot-file.ts; empty where the board makes it */
  slot: Uint8Array;
}

/**
 * One family of boards, at its console. Until the last step of `upload` nothing starts by itself: a
 * board that was left in the middle has its prompt, and `upload` begins afresh.
 */
export interface Uploader {
  /** Finds the console and asks what the board is; changes nothing. */
  look(): Promise<BoardFacts>;
  /**
   * Erases, writes and reads back everything.
   *
   * @param onStep told what is being written and how many bytes of it are acknowledged
   * @throws GatewayError 'port' if the port is lost, or what is read back differs
   */
  upload(payload: Payload, onStep: (what: string, done: number) => void): Promise<void>;
  /** Starts the runtime: frames follow on the same line. */
  start(): Promise<void>;
  /** Bytes on the line so far. */
  bytes(): { sent: number; heard: number };
  close(): Promise<void>;
}
