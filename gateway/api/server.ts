import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import type { Calls } from '../calls.ts';
import { type ErrorCode, GatewayError } from '../errors.ts';
import { sendLive } from './live.ts';
import { addRoutes } from './routes.ts';

/** Where the API and the page are when nothing else is said. */
export const DEFAULT_PORT = 7380;

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];
const folder = join(import.meta.dirname, '..', 'ui');
const pages: Record<string, [string, string]> = {
  '/': ['index.html', 'text/html'],
  '/app.js': ['app.js', 'text/javascript'],
  '/draw.js': ['draw.js', 'text/javascript'],
  '/words.js': ['words.ts', 'text/javascript'],
  '/style.css': ['style.css', 'text/css'],
};
const statusOf: Partial<Record<ErrorCode, number>> = {
  'not-found': 404,
  'not-allowed': 409,
  'bad-hash': 409,
  'bad-signature': 409,
  'bad-key': 409,
  'revoked-key': 409,
  'expired-release': 409,
  'in-use': 409,
  'not-running': 503,
  cancelled: 409,
};
const security = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** The API and the page, while they are served. */
export interface Api {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the API under `/api`, the live events and the status page, on this machine only.
 *
 * Requests for another host name are refused (DNS rebinding), as are changes that a foreign page
 * could send without asking (anything but JSON, or from another origin).
 *
 * @param calls what answers
 * @param options host, a loopback address; port, 0 for any free one
 * @throws GatewayError 'not-allowed' for a host off this machine, 'in-use' if the port is taken
 */
export async function serveApi(
  calls: Calls,
  options: { host?: string; port?: number } = {},
): Promise<Api> {
  const host = options.host ?? LOOPBACK[0];
  const port = options.port ?? DEFAULT_PORT;
  if (!LOOPBACK.includes(host)) {
    throw new GatewayError('not-allowed', `will not serve on ${host}: there is no sign-in yet`, {
      hint: 'use 127.0.0.1; from elsewhere: ssh -L 7380:127.0.0.1:7380 THIS-MACHINE',
    });
  }
  const app = Fastify({
    bodyLimit: 64 * 1024,
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false } },
  });
  guard(app);
  addRoutes(app, calls);
  addLive(app, calls);
  addPages(app);
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const taken = code === 'EADDRINUSE';
    const message = taken ? `port ${port} is taken by another program` : `cannot listen: ${code}`;
    throw new GatewayError(taken ? 'in-use' : 'port', message, {
      cause,
      hint: taken ? 'is a gateway running already? or choose: --http-port N' : `on ${host}:${port}`,
    });
  }
  const at = (app.server.address() as AddressInfo).port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${at}`,
    close: () => app.close(),
  };
}

/** Who may ask, in which form, and how a failure is told. */
function guard(app: FastifyInstance): void {
  app.removeContentTypeParser('text/plain');
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, {});
    else parse(request, body as string, done);
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(security);
    const port = request.socket.localPort;
    const names = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`);
    if (!names.includes(request.headers.host ?? '')) {
      return reply.code(421).send(failure('bad-request', 'this gateway has another name'));
    }
    if (request.method === 'GET' || request.method === 'HEAD') return;
    const { origin } = request.headers;
    if (origin !== undefined && !names.includes(origin.replace(/^http:\/\//, ''))) {
      return reply.code(403).send(failure('bad-request', `not from ${origin}`));
    }
    if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
      return reply
        .code(415)
        .send(failure('bad-request', 'send JSON, with content-type: application/json'));
    }
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send(failure('not-found', `nothing at ${request.method} ${request.url}`)),
  );
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    if (error instanceof GatewayError) {
      const status = statusOf[error.code] ?? (error.code.startsWith('bad-') ? 400 : 500);
      return reply.code(status).send(failure(error.code, error.message, error.hint));
    }
    const status = error.statusCode ?? 500;
    return reply.code(status).send(failure(status < 500 ? 'bad-request' : 'bug', error.message));
  });
}

function failure(code: string, message: string, hint?: string) {
  return { error: { code, message, ...(hint !== undefined && { hint }) } };
}

/** `GET /api/events` for who accepts an event stream; everybody else gets the list. */
function addLive(app: FastifyInstance, calls: Calls): void {
  const open = new Set<() => void>();
  app.addHook('preHandler', async (request, reply) => {
    const isLive = /\btext\/event-stream\b/.test(request.headers.accept ?? '');
    if (request.routeOptions.url !== '/api/events' || !isLive) return;
    const query = request.query as { since?: number };
    const since = Number(request.headers['last-event-id'] ?? query.since ?? 0);
    reply.hijack();
    reply.raw.writeHead(200, { ...security, 'content-type': 'text/event-stream' });
    const stop = sendLive(calls, reply.raw, Number.isSafeInteger(since) ? since : 0);
    open.add(stop);
    reply.raw.on('close', () => open.delete(stop));
  });
  app.addHook('preClose', async () => {
    for (const stop of open) stop();
  });
}

function addPages(app: FastifyInstance): void {
  for (const [url, [file, type]] of Object.entries(pages)) {
    const content = readFileSync(join(folder, file), 'utf8');
    const plain = file.endsWith('.ts') ? stripTypeScriptTypes(content) : content;
    app.get(url, (_request, reply) => reply.type(`${type}; charset=utf-8`).send(plain));
  }
}
