/** A call that failed; `code` is the gateway's, or one of the way there. */
export class ApiError extends Error {
  readonly code: string;
  /** of the HTTP answer; undefined where none came */
  readonly status: number | undefined;

  /**
   * @param code 'not-running', 'bad-certificate', 'cancelled', or what the gateway says
   * @param message what is wrong, one line
   * @param options hint, what to do about it, is put behind the message
   */
  constructor(
    code: string,
    message: string,
    options: { hint?: string | undefined; status?: number | undefined; cause?: unknown } = {},
  ) {
    const { hint, status, cause } = options;
    super(hint === undefined ? message : `${message} (${hint})`, { cause });
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
  }

  /** What Node-RED shows: the message without the name of a class. */
  override toString(): string {
    return this.message;
  }
}

const CERTIFICATES =
  /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|ERR_TLS_CERT|HOSTNAME_MISMATCH|ERR_OSSL_PEM)/;

/**
 * A failure of the way to the gateway, in words.
 *
 * @param url of the gateway
 * @param cause what Node said
 */
export function wayFailed(url: string, cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  const { code = '', name, message } = cause as NodeJS.ErrnoException;
  if (name === 'AbortError') return new ApiError('cancelled', 'the node was closed', { cause });
  if (CERTIFICATES.test(code)) {
    return new ApiError('bad-certificate', `the certificate of ${url} is not trusted: ${code}`, {
      ...{ cause, hint: "name the gateway's CA file in the gateway node" },
    });
  }
  return new ApiError('not-running', `no gateway answers at ${url}: ${code || message}`, {
    ...{ cause, hint: 'is it running, and is the address right?' },
  });
}

/**
 * An answer that is no success, as an error.
 *
 * @param status of the HTTP answer
 * @param body its text
 */
export function answerFailed(url: string, status: number, body: string): ApiError {
  let error: { code?: string; message?: string; hint?: string } | undefined;
  try {
    error = JSON.parse(body).error;
  } catch {
    // said below: it is no gateway
  }
  if (error?.message === undefined) {
    const hint = 'name the gateway in the gateway node';
    return new ApiError('no-gateway', `what answers at ${url} is no gateway`, { status, hint });
  }
  const { code = 'bug', message, hint } = error;
  return new ApiError(code, message, { status, hint });
}
