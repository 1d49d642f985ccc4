/** What can go wrong outside the program's own control, by name. Match on these, never on text. */
export type ErrorCode =
  | 'bad-task'
  | 'bad-board'
  | 'bad-config'
  | 'bad-recordings'
  | 'bad-file'
  | 'bad-bundle'
  | 'bad-model'
  | 'bad-window'
  | 'in-use'
  | 'bad-hash'
  | 'bad-signature'
  | 'bad-key'
  | 'revoked-key'
  | 'expired-release'
  | 'wrong-board'
  | 'not-signed-in'
  | 'too-small-role'
  | 'too-many-requests'
  | 'bad-tls'
  | 'not-found'
  | 'not-allowed'
  | 'not-running'
  | 'disk-full'
  | 'disk-read-only'
  | 'damaged'
  | 'store-key'
  | 'store'
  | 'port'
  | 'cancelled'
  | 'missing-tool';

/**
 * A failure of the world (a file, a port, a disk, a person's input), never of the programmer.
 *
 * The message is one line that says what is wrong; `hint` says what to do about it.
 *
 * @example new GatewayError('not-found', 'no model abc', { hint: 'see: whetstone models' }).line() // 'no model abc (see: whetstone models)'
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.hint = options.hint;
  }

  /** The one line shown to a person: what is wrong and what to do. */
  line(): string {
    return this.hint === undefined ? this.message : `${this.message} (${this.hint})`;
  }
}
