import type { ServerResponse } from 'node:http';
import type { Calls, GatewayEvent } from '../calls.ts';

const HEARTBEAT_MS = 15_000;
const PAGE = 500;
/** A reader that lags by more than this is cut off; it comes back with its last event's id. */
const MAX_WAITING_BYTES = 1 << 20;

/**
 * Writes events as server-sent events until the reader goes: first those after `since`, then
 * every new one, none twice and none left out.
 *
 * @param calls where the events come from
 * @param response its head is already written
 * @param since id of the last event that the reader has
 * @returns a function that ends it
 * @source WHATWG HTML, 9.2 Server-sent events
 */
export function sendLive(calls: Calls, response: ServerResponse, since: number): () => void {
  let last = since;
  let waiting: GatewayEvent[] | null = [];
  const send = (event: GatewayEvent) => {
    if (event.id <= last) return;
    last = event.id;
    response.write(`id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`);
    if (response.writableLength > MAX_WAITING_BYTES) stop();
  };
  const off = calls.on('event', (event) => {
    if (waiting === null) send(event);
    else waiting.push(event);
  });
  const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
  heartbeat.unref();
  let stopped = false;
  const stop = () => {
    if (stopped) return;
    stopped = true;
    off();
    clearInterval(heartbeat);
    response.end();
  };
  const catchUp = async () => {
    let page: GatewayEvent[];
    do {
      page = await calls.events({ since: last, limit: PAGE });
      page.forEach(send);
    } while (page.length === PAGE && !stopped);
    waiting?.forEach(send);
    waiting = null;
  };
  response.on('close', stop);
  response.write('retry: 2000\n\n');
  catchUp().catch(stop);
  return stop;
}
