import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { failure } from './failures.ts';
import type { Names } from './names.ts';

/** Sent with every answer. */
const securityHeaders = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data:; object-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
/** A browser that saw TLS here does without it no more, for half a year. */
const hsts = { 'strict-transport-security': 'max-age=15552000' };

/**
 * Answers what is no request at all, before anything else has seen it: an address that cannot be read.
 *
 * @param error says what is wrong with it
 */
export function answerUnreadable(
  error: FastifyError,
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { statusCode = 400, message } = error;
  void reply.code(statusCode).headers(securityHeaders).send(failure('bad-request', message));
}

/**
 * In which form the API is asked: under one of its names (against DNS rebinding), and where something
 * is changed or a socket opened, by nobody's page but its own (against forged requests).
 *
 * @param app what is guarded
 * @param names that the gateway has
 * @param isTls whether it speaks TLS
 */
export function addGuard(app: FastifyInstance, names: Names, isTls: boolean): void {
  app.removeContentTypeParser('text/plain');
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, {});
    else parse(request, body as string, done);
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(isTls ? { ...securityHeaders, ...hsts } : securityHeaders);
    if (!names.isOurs(request)) {
      const hint = 'name it in the configuration: "names": ["NAME"]';
      return reply.code(421).send(failure('bad-request', 'this gateway has another name', hint));
    }
    const { method, headers } = request;
    const isSocket = headers.upgrade !== undefined;
    const isRead = (method === 'GET' || method === 'HEAD') && !isSocket;
    if (isRead) return;
    if (!names.isFromUs(request)) {
      return reply.code(403).send(failure('bad-request', `not from ${headers.origin}`));
    }
    // what a form can send is never JSON; a page that sends DELETE is asked for its origin first
    if (isSocket || method === 'DELETE') return;
    if (!/^application\/json\b/.test(headers['content-type'] ?? '')) {
      return reply
        .code(415)
        .send(failure('bad-request', 'send JSON, with content-type: application/json'));
    }
  });
}
