import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { ApiError, answerFailed, wayFailed } from './api-error.ts';

/** Where a gateway is, and what is shown to it. */
export interface Target {
  /** 'http://127.0.0.1:7380'; https off the loopback */
  url: string;
  /** certificates that are trusted, PEM; without it those of the system */
  ca?: string | undefined;
  token?: string | undefined;
}

/** The gateway's HTTP API. Each call throws {@link ApiError}. */
export interface Client {
  get<T>(path: string, query?: object, signal?: AbortSignal): Promise<T>;
  /** Asks for something to be done: sent once, over a connection of its own. */
  post<T>(path: string, body?: object, signal?: AbortSignal): Promise<T>;
  /** A POST that changes nothing: it may share a connection, and be sent again. */
  query<T>(path: string, body: object, signal?: AbortSignal): Promise<T>;
  /** Ends idle connections. */
  close(): void;
}

/**
 * Speaks to a gateway.
 *
 * @param target where it is
 * @throws ApiError 'bad-url' if its address is none
 */
export function createClient({ url, ca, token }: Target): Client {
  const base = baseOf(url);
  const isSecure = base.startsWith('https:');
  const pool = isSecure
    ? new SecureAgent({ keepAlive: true, maxSockets: 8, ...(ca !== undefined && { ca }) })
    : new Agent({ keepAlive: true, maxSockets: 8 });

  async function ask<T>(
    path: string,
    body: object | undefined,
    isShared: boolean,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const start = (): ClientRequest =>
      (isSecure ? secureRequest : request)(`${base}/api${path}`, {
        method: text === undefined ? 'GET' : 'POST',
        agent: isShared ? pool : false,
        ...(ca !== undefined && { ca }),
        ...(signal !== undefined && { signal }),
        headers: {
          accept: 'application/json',
          ...(text !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(text),
          }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
      });
    const answer = await answered(start, text, isShared).catch((error: unknown) => {
      throw wayFailed(base, error);
    });
    const { status, body: said } = answer;
    if (status < 200 || status > 299) throw answerFailed(base, status, said);
    try {
      return JSON.parse(said) as T;
    } catch {
      throw answerFailed(base, status, said);
    }
  }

  return {
    get: (path, query = {}, signal) => ask(path + search(query), undefined, true, signal),
    post: (path, body = {}, signal) => ask(path, body, false, signal),
    query: (path, body, signal) => ask(path, body, true, signal),
    close: () => pool.destroy(),
  };
}

/**
 * The address of a gateway without what follows host and port.
 *
 * @throws ApiError 'bad-url'
 * @example baseOf(' http://127.0.0.1:7380/ ') // 'http://127.0.0.1:7380'
 */
export function baseOf(url: string): string {
  const trimmed = url.trim().replace(/\/+$/, '');
  if (!/^https?:\/\//.test(trimmed) || !URL.canParse(trimmed)) {
    throw new ApiError('bad-url', `'${url}' is no address of a gateway`, {
      hint: 'such as http://127.0.0.1:7380',
    });
  }
  return trimmed;
}

function search(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

interface Answer {
  status: number;
  body: string;
}

/** Sends once; a shared connection that the gateway had just ended is no reason to fail. */
async function answered(
  start: () => ClientRequest,
  text: string | undefined,
  isShared: boolean,
): Promise<Answer> {
  const sent = start();
  try {
    return await answerOf(sent, text);
  } catch (error) {
    const wasEnded = (error as NodeJS.ErrnoException).code === 'ECONNRESET' && sent.reusedSocket;
    if (!isShared || !wasEnded) throw error;
    return answerOf(start(), text);
  }
}

function answerOf(sent: ClientRequest, text: string | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response: IncomingMessage) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.end(text);
  });
}
