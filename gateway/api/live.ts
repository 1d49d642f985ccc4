import type { WebSocket } from 'ws';
import type { Calls, GatewayEvent, LiveMessage, Role, WindowView } from '../calls.ts';

/** What a reader wants. */
export interface LiveWish {
  /** id of the last event that the reader has; without it, only what is new */
  since?: number | undefined;
  topics: readonly ('events' | 'windows')[];
  role: Role;
  /** whether the reader may still read: asked at each ping */
  mayStill: () => boolean;
  /** between two pings */
  pingMs?: number;
}

/** Close codes. @source IANA WebSocket Close Code Number Registry, RFC 6455 7.4 */
const [GONE, NO_MORE, TRY_LATER, BUG] = [1001, 1008, 1013, 1011];
const PING_MS = 15_000;
const PAGE = 500;
/** Bytes that wait for a reader, above which windows are left out, and above which it is cut off. */
const THIN_BYTES = 1 << 16;
const CUT_BYTES = 1 << 20;

/**
 * Tells a reader what happens until it goes: events after `since`, none twice and none left out, and
 * windows as they are stored, thinned where the reader is slow. One that is too slow for the events is
 * cut off: it comes back with its last event's id.
 *
 * @param calls where they come from
 * @param socket open
 * @param wish what it wants
 * @returns resolves when all that was missed is sent
 */
export async function sendLive(calls: Calls, socket: WebSocket, wish: LiveWish): Promise<void> {
  const { topics, role, mayStill } = wish;
  const ends: (() => void)[] = [];
  const send = (message: LiveMessage): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  };
  socket.on('close', () => {
    for (const end of ends.splice(0)) end();
  });
  ends.push(keepAlive(socket, mayStill, wish.pingMs ?? PING_MS));

  let waiting: GatewayEvent[] | null = [];
  let last = 0;
  const sendEvent = (event: GatewayEvent): void => {
    if (event.id <= last) return;
    last = event.id;
    send({ type: 'event', event });
    if (socket.bufferedAmount > CUT_BYTES) socket.close(TRY_LATER, 'too slow; since=ID goes on');
  };
  if (topics.includes('events')) {
    ends.push(
      calls.on('event', (event) => {
        if (waiting === null) sendEvent(event);
        else waiting.push(event);
      }),
    );
  }
  if (topics.includes('windows')) ends.push(calls.onWindow(thinned(socket, send)));
  if (socket.readyState !== socket.OPEN) return socket.terminate();

  try {
    const newest = (await calls.events({ limit: 1 }))[0]?.id ?? 0;
    send({ type: 'hello', lastEvent: newest, at: Date.now(), role });
    // one that knows later events knows them of another store: of this one it has none that are to come
    last = Math.min(wish.since ?? newest, newest);
    if (!topics.includes('events')) return;
    let page: GatewayEvent[];
    do {
      page = await calls.events({ since: last, limit: PAGE });
      page.forEach(sendEvent);
      await drained(socket);
    } while (page.length === PAGE && socket.readyState === socket.OPEN);
    waiting.forEach(sendEvent);
    waiting = null;
  } catch (error) {
    socket.close(BUG, (error as Error).message.slice(0, 100));
  }
}

/** Sends windows while the reader takes them; says how many it was not told of. */
function thinned(socket: WebSocket, send: (message: LiveMessage) => void) {
  let skipped = 0;
  return (window: WindowView): void => {
    if (socket.bufferedAmount > THIN_BYTES) {
      skipped++;
      return;
    }
    if (skipped > 0) send({ type: 'skipped', windows: skipped });
    skipped = 0;
    send({ type: 'window', window });
  };
}

/** Pings; ends what does not answer until the next ping, or may read no more. @returns what ends it */
function keepAlive(socket: WebSocket, mayStill: () => boolean, pingMs: number): () => void {
  let heard = true;
  socket.on('pong', () => {
    heard = true;
  });
  const timer = setInterval(() => {
    if (!heard) return socket.terminate();
    if (!mayStill()) return socket.close(NO_MORE, 'signed out');
    heard = false;
    socket.ping();
  }, pingMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Resolves when what was sent is on its way: what was missed is not piled up in memory. */
function drained(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (socket.readyState !== socket.OPEN || socket.bufferedAmount < THIN_BYTES) resolve();
      else setTimeout(look, 10);
    };
    look();
  });
}

/** Time that readers have to say goodbye when the gateway stops. */
const GOODBYE_MS = 500;

/**
 * Ends every reader: politely, then at once.
 *
 * @param sockets that are open
 * @returns resolves when all are gone
 */
export async function endLive(sockets: Set<WebSocket>): Promise<void> {
  const gone = [...sockets].map(
    (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
  );
  for (const socket of sockets) socket.close(GONE, 'the gateway stops');
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.terminate();
  }, GOODBYE_MS);
  await Promise.all(gone);
  clearTimeout(timer);
}
