import type { FastifyError, FastifyInstance } from 'fastify';
import { type ErrorCode, GatewayError } from '../errors.ts';
import type { Log } from '../log.ts';

const statusOf: Partial<Record<ErrorCode, number>> = {
  'not-signed-in': 401,
  'too-small-role': 403,
  'not-found': 404,
  'not-allowed': 409,
  'bad-hash': 409,
  'bad-signature': 409,
  'bad-key': 409,
  'revoked-key': 409,
  'expired-release': 409,
  'in-use': 409,
  'too-many-requests': 429,
  'not-running': 503,
  'disk-full': 507,
  'disk-read-only': 507,
  cancelled: 409,
};

/** Codes that say that somebody may not. */
const KEPT_OUT: ErrorCode[] = ['not-signed-in', 'too-small-role', 'too-many-requests'];

/** The body of an answer that is a failure. */
export function failure(code: string, message: string, hint?: string) {
  return { error: { code, message, ...(hint !== undefined && { hint }) } };
}

/**
 * Answers failures, and what there is nothing for, in one form.
 *
 * @param app whose failures
 * @param log hears of defects, and of who is kept out
 */
export function addFailures(app: FastifyInstance, log?: Log): void {
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send(failure('not-found', `nothing at ${request.method} ${request.url}`)),
  );
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const { method, url, ip } = request;
    if (error instanceof GatewayError) {
      // a page that nobody signed in at asks again and again: that is no news
      const hasTried = request.headers.authorization !== undefined || url === '/api/session';
      if (KEPT_OUT.includes(error.code) && hasTried) {
        log?.warn({ code: error.code, method, url, ip }, `${ip}: ${error.message}`);
      }
      const status = statusOf[error.code] ?? (error.code.startsWith('bad-') ? 400 : 500);
      return reply.code(status).send(failure(error.code, error.message, error.hint));
    }
    const status = error.statusCode ?? 500;
    if (status >= 500)
      log?.error({ err: error, method, url }, `${method} ${url}: ${error.message}`);
    return reply.code(status).send(failure(status < 500 ? 'bad-request' : 'bug', error.message));
  });
}
