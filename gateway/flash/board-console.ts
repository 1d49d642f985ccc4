/** A board that takes commands: what `flash` needs of Espruino and of NodeMCU alike. */
export interface BoardConsole {
  /** how it is spoken to, in a word or two */
  readonly way: string;
  /**
   * Runs an expression.
   *
   * @param expression in the board's language; small, and of a value that JSON has
   * @returns its value
   * @throws GatewayError 'port' if nothing comes in time or the port is lost; 'bad-bundle' with what
   *   the board said where it fails
   */
  evaluate(expression: string, timeoutMs?: number): Promise<unknown>;
  /**
   * Writes a new file.
   *
   * @param onBytes told how many bytes of it are acknowledged
   */
  writeFile(name: string, bytes: Uint8Array, onBytes: (done: number) => void): Promise<void>;
}

/** How long a small expression may take. */
export const ANSWER_MS = 4000;
