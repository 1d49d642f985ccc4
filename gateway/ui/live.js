/**
 * @import { LiveMessage } from '../views/live.ts'
 * @import { GatewayEvent } from '../views/status.ts'
 * @import { WindowView } from '../views/window.ts'
 */

/** The live connection: every event once, the newest windows, and what becomes of it when it is cut. */

const RETRY_MS = [500, 1000, 2000, 5000];

/**
 * Follows the gateway for as long as the page is open.
 *
 * @param {{ since: number, onEvent: (event: GatewayEvent) => void, onWindow: (window: WindowView) => void,
 *   onSkipped: (windows: number) => void, onOpen: () => void, onLost: () => void }} told
 * @returns {() => void} ends it
 */
export function follow({ since, onEvent, onWindow, onSkipped, onOpen, onLost }) {
  let last = since;
  let tries = 0;
  /** @type {WebSocket} */
  let socket;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let ended = false;

  function open() {
    const url = new URL('/api/live', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const asked = { since: String(last), topics: 'events,windows' };
    url.search = String(new URLSearchParams(asked));
    socket = new WebSocket(url);
    socket.onmessage = ({ data }) => {
      /** @type {LiveMessage} */
      const message = JSON.parse(data);
      if (message.type === 'hello') {
        tries = 0;
        // fewer events than were told: the gateway has another store than before
        last = Math.min(last, message.lastEvent);
        onOpen();
      } else if (message.type === 'event' && message.event.id > last) {
        last = message.event.id;
        onEvent(message.event);
      } else if (message.type === 'window') onWindow(message.window);
      else if (message.type === 'skipped') onSkipped(message.windows);
    };
    socket.onclose = () => {
      if (ended) return;
      onLost();
      timer = setTimeout(open, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
    };
  }

  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket.close();
  };
}
