import type { IncomingMessage } from 'node:http';
import WebSocket from 'ws';
import { ApiError, answerFailed, wayFailed } from './api-error.ts';
import { baseOf, type Target } from './client.ts';
import type { GatewayEvent, LiveMessage, WindowView } from './views.ts';

/** How it stands with the gateway. */
export type LinkState =
  | { phase: 'connecting' }
  | { phase: 'connected'; role: string }
  /** it is tried again at `retryAt`, ms since 1970 */
  | { phase: 'waiting'; error: ApiError; retryAt: number };

/** What is told of a gateway's life. */
export interface LiveListener {
  state(state: LinkState): void;
  /** each event once, in order */
  event(event: GatewayEvent): void;
  /** as they are stored; some may be left out where the reader is slow */
  window(window: WindowView): void;
  /** windows that were left out */
  skipped(windows: number): void;
  /** the newest event that needs not be told again */
  cursor(id: number): void;
}

export interface LiveOptions {
  target: Target;
  topics: readonly string[];
  /** id of the last event that was told; undefined: only what is new */
  since: number | undefined;
}

/** First pause between two attempts, and the longest. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
/** Silence after which the gateway is asked for a sign, and after twice as much given up. */
const QUIET_MS = 20_000;

/**
 * Follows a gateway over its WebSocket until it is closed, for ever: when the connection is lost it is
 * made anew, after pauses that grow, and the events since the last one follow.
 *
 * @returns a function that ends it
 */
export function followLive(options: LiveOptions, tell: LiveListener): () => void {
  const { target, topics } = options;
  let cursor = options.since;
  let attempt = 0;
  let isClosed = false;
  let socket: WebSocket | undefined;
  let retry: NodeJS.Timeout | undefined;
  let watch: NodeJS.Timeout | undefined;

  function connect(): void {
    tell.state({ phase: 'connecting' });
    try {
      listen(new WebSocket(address(), socketOptions()));
    } catch (error) {
      lost(wayFailed(target.url, error));
    }
  }

  function address(): string {
    const query = new URLSearchParams({ topics: topics.join(',') });
    if (cursor !== undefined) query.set('since', String(cursor));
    return `${baseOf(target.url).replace(/^http/, 'ws')}/api/live?${query}`;
  }

  function socketOptions(): WebSocket.ClientOptions {
    const { ca, token } = target;
    return {
      ...{ handshakeTimeout: 10_000, perMessageDeflate: false },
      ...(ca !== undefined && { ca }),
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    };
  }

  function listen(made: WebSocket): void {
    socket = made;
    let why: ApiError | undefined;
    let isHeard = true;
    made.on('unexpected-response', (_request, response) => {
      void textOf(response).then((body) => {
        why = answerFailed(target.url, response.statusCode ?? 0, body);
        made.terminate();
      });
    });
    made.on('error', (error) => {
      why ??= wayFailed(target.url, error);
    });
    made.on('close', (code) => {
      clearInterval(watch);
      if (socket !== made) return;
      lost(why ?? wayFailed(target.url, new Error(`the connection ended (${code})`)));
    });
    for (const sign of ['message', 'ping', 'pong'] as const) {
      made.on(sign, () => {
        isHeard = true;
      });
    }
    made.on('message', (data) => {
      if (socket !== made) return;
      const message = read(String(data));
      if (message !== undefined) return hear(message);
      why = new ApiError('no-gateway', `what answers at ${target.url} is no gateway`);
      made.terminate();
    });
    watch = setInterval(() => {
      if (!isHeard) made.terminate();
      else if (made.readyState === WebSocket.OPEN) made.ping();
      isHeard = false;
    }, QUIET_MS);
  }

  function hear(message: LiveMessage): void {
    if (message.type === 'hello') {
      attempt = 0;
      // fewer events than were told: the gateway has another store than before
      if (cursor === undefined || message.lastEvent < cursor) move(message.lastEvent);
      tell.state({ phase: 'connected', role: message.role });
    } else if (message.type === 'event') {
      if (cursor !== undefined && message.event.id <= cursor) return;
      tell.event(message.event);
      move(message.event.id);
    } else if (message.type === 'window') tell.window(message.window);
    else if (message.type === 'skipped') tell.skipped(message.windows);
  }

  function move(id: number): void {
    cursor = id;
    tell.cursor(id);
  }

  function lost(error: ApiError): void {
    if (isClosed) return;
    // not all at the same moment, where many wait for one gateway
    const pause =
      Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
    attempt++;
    retry = setTimeout(connect, pause);
    tell.state({ phase: 'waiting', error, retryAt: Date.now() + pause });
  }

  connect();
  return () => {
    isClosed = true;
    clearTimeout(retry);
    clearInterval(watch);
    const last = socket;
    socket = undefined;
    last?.terminate();
  };
}

/** A message of a gateway; undefined where something else speaks: nothing would catch what is thrown there. */
function read(text: string): LiveMessage | undefined {
  try {
    const message = JSON.parse(text) as LiveMessage | null;
    const isEvent = message?.type !== 'event' || typeof message.event?.id === 'number';
    return typeof message?.type === 'string' && isEvent ? message : undefined;
  } catch {
    return undefined;
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) text += chunk;
  } catch {
    // what has come by then is enough
  }
  return text;
}
