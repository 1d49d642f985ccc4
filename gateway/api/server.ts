import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import cookie from '@fastify/cookie';
import websocket from '@fastify/websocket';
import type { ErrorObject } from 'ajv';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Access } from '../access.ts';
import type { Calls } from '../calls.ts';
import { GatewayError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Readiness } from '../views/live.ts';
import { addCallers } from './callers.ts';
import { createChecks } from './checks.ts';
import { complaint } from './complaint.ts';
import { addFailures } from './failures.ts';
import { addGuard, answerUnreadable } from './guard.ts';
import { addHealth } from './health.ts';
import { endLive } from './live.ts';
import { addLive } from './live-route.ts';
import { addMetrics } from './metrics-route.ts';
import { createNames } from './names.ts';
import { addOpenApi } from './openapi.ts';
import { addPages } from './pages.ts';
import { addRoutes } from './routes.ts';
import { addSession } from './session-routes.ts';
import { readTls, type TlsFiles } from './tls.ts';

/** Where the API and the page are when nothing else is said. */
export const DEFAULT_PORT = 7380;

/** Of a part of a path, as it is sent: the longest name of a device, each of its letters as `%XX%XX%XX`. */
const PARAM_LENGTH = 9 * 200;

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];

/** The API and the page, while they are served. */
export interface Api {
  /** that works on this machine */
  readonly url: string;
  /** certificate, PEM; null without TLS */
  readonly cert: string | null;
  close(): Promise<void>;
}

/** How the API is served. */
export interface ApiOptions {
  /** address to listen on; default the loopback, others need `tls` and `access` */
  host?: string;
  /** 0 for any free one */
  port?: number;
  tls?: TlsFiles | undefined;
  /** further names under which it is asked */
  names?: readonly string[];
  /** asks for a token on the loopback, too */
  requireToken?: boolean;
  /** tells who shows a token */
  access?: Access;
  /** whether the gateway can do its work */
  ready?: () => Readiness;
  /** hears of failures that are defects, and of who is kept out */
  log?: Log;
  /** figures for Prometheus; without them there is no `/metrics` */
  metrics?: Pick<Metrics, 'text' | 'contentType'>;
}

/**
 * Serves the API under `/api`, the live events, health and the page: on this machine to whoever is
 * here, to others with TLS and a token.
 *
 * Requests for another host name are refused (DNS rebinding), as are changes that a foreign page
 * could send without asking (anything but JSON, or from another origin).
 *
 * @param calls what answers
 * @param options where and for whom
 * @throws GatewayError 'not-allowed' for a host off this machine without TLS, 'bad-tls' if its files are
 *   none, 'in-use' if the port is taken, 'port' if it cannot be had
 */
export async function serveApi(calls: Calls, options: ApiOptions = {}): Promise<Api> {
  const { host = LOOPBACK[0]!, port = DEFAULT_PORT, tls, access, requireToken = false } = options;
  if (!LOOPBACK.includes(host) && (tls === undefined || access === undefined)) {
    throw new GatewayError('not-allowed', `will not serve on ${host} without TLS`, {
      hint: 'name certificate and key: --tls-cert FILE --tls-key FILE; or from elsewhere: ssh -L 7380:127.0.0.1:7380 THIS-MACHINE',
    });
  }
  const secured = tls && readTls(tls);
  const app = Fastify({
    bodyLimit: 64 * 1024,
    forceCloseConnections: true,
    frameworkErrors: answerUnreadable,
    schemaErrorFormatter: (errors, place) =>
      new Error(complaint(errors.at(-1) as ErrorObject, place)),
    routerOptions: { maxParamLength: PARAM_LENGTH },
    ...(secured && { https: { cert: secured.cert, key: secured.key, minVersion: 'TLSv1.2' } }),
  }) as FastifyInstance;
  app.setValidatorCompiler(createChecks());
  // an answer is sent whole: made from its schema it would lose what that does not tell, and cut numbers
  app.setSerializerCompiler(() => JSON.stringify);
  const isTls = secured !== undefined;
  const isOpen = !LOOPBACK.includes(host);
  const names = createNames([...(isOpen ? ownNames() : []), ...(options.names ?? [])]);
  await app.register(cookie);
  await app.register(websocket, {
    options: { maxPayload: 4096 },
    preClose: (done) => {
      endLive(app.websocketServer.clients).then(() => done(), done);
    },
  });
  addFailures(app, options.log);
  addGuard(app, names, isTls);
  const { tried, mayStill } = addCallers(app, { access, requireToken, names, isTls });
  await addOpenApi(app);
  addSession(app, { access, isTls, tried });
  addHealth(app, options.ready ?? (() => ({ ready: true, problems: [] })));
  if (options.metrics !== undefined) addMetrics(app, options.metrics);
  addRoutes(app, calls);
  addLive(app, calls, mayStill);
  addPages(app);
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    throw notListening(cause, host, port);
  }
  const at = (app.server.address() as AddressInfo).port;
  const reached = { '0.0.0.0': LOOPBACK[0], '::': '::1' }[host] ?? host;
  const shown = reached.includes(':') ? `[${reached}]` : reached;
  return {
    url: `${isTls ? 'https' : 'http'}://${shown}:${at}`,
    cert: secured?.cert ?? null,
    close: () => app.close(),
  };
}

/** Names of this machine in its network: no name server of a stranger can point them here. */
function ownNames(): string[] {
  const name = hostname();
  return name.includes('.') ? [name] : [name, `${name}.local`];
}

function notListening(cause: unknown, host: string, port: number): GatewayError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new GatewayError('in-use', `port ${port} is taken by another program`, {
      cause,
      hint: 'is a gateway running already? or choose: --http-port N',
    });
  }
  if (code === 'EACCES') {
    return new GatewayError('port', `this user may not listen on port ${port}`, {
      cause,
      hint: 'choose one from 1024 on: --http-port N; or give the unit AmbientCapabilities=CAP_NET_BIND_SERVICE',
    });
  }
  return new GatewayError('port', `cannot listen: ${code}`, { cause, hint: `on ${host}:${port}` });
}
