import type { DeviceView, Gateway, GatewayEvent, Status } from '../calls.ts';
import { clock, sentence, tellsNews, toneOf } from '../ui/words.ts';
import { colour, type Io, share } from './io.ts';

const STATUS_MS = 1000;
/** Bookkeeping that the log keeps and that tells a watcher nothing. */
const silent = ['model.stage', 'model.released', 'gateway.started'];

/**
 * Shows a gateway on the terminal: one line for each notable event, and on a TTY a last line with
 * the state of the fleet, redrawn every second.
 *
 * @param gateway that runs
 * @param io where to write
 * @returns a function that ends it
 */
export async function showGateway(
  gateway: Pick<Gateway, 'call' | 'url' | 'adminToken'>,
  io: Io,
): Promise<() => void> {
  const { startedAt, sentence: about } = await gateway.call.status();
  const isTty = io.out.isTTY === true;
  let status = '';
  const isNews = tellsNews();
  let shown = 0; // the events so far and the live ones overlap
  const draw = () => {
    if (status !== '') io.out.write(status);
  };
  const wipe = () => {
    if (status !== '') io.out.write('\r\x1b[2K');
  };
  const line = (text: string) => {
    wipe();
    io.out.write(`${text}\n`);
    draw();
  };
  line(`Whetstone: ${about}`);
  line(`dashboard: ${gateway.url}   stop: Ctrl-C`);
  if (gateway.adminToken !== null) {
    line(
      `admin token: ${gateway.adminToken} (asked for from other machines; see: whetstone tokens)`,
    );
  }
  for (const event of await gateway.call.events({ limit: 100 })) {
    if (event.at >= startedAt) show(event);
  }
  const off = gateway.call.on('event', show);
  function show(event: GatewayEvent) {
    if (event.id <= shown || silent.includes(event.kind)) return;
    shown = event.id;
    if (!isNews(event)) return;
    const text = `${clock(event.at - startedAt)}  ${sentence(event)}`;
    const tone = toneOf(event);
    line(tone === 'plain' ? text : colour(io, tone === 'bad' ? 'red' : 'green', text));
  }
  const refresh = async () => {
    const next = statusLine(await gateway.call.status(), io.out.columns ?? 80);
    wipe();
    status = next;
    draw();
  };
  const timer = isTty ? setInterval(() => refresh().catch(stop), STATUS_MS) : undefined;
  function stop() {
    clearInterval(timer);
    off();
    wipe();
    status = '';
  }
  return stop;
}

/** What the line is made of. */
interface Shown extends Pick<Status, 'at' | 'startedAt'> {
  devices: Pick<DeviceView, 'id' | 'accuracy' | 'connected' | 'alarm'>[];
}

/**
 * The fleet in one line that fits.
 *
 * @param status of the gateway
 * @param columns of the terminal
 */
export function statusLine({ at, startedAt, devices }: Shown, columns: number): string {
  const parts = devices.map((device) => {
    const mark = device.connected ? (device.alarm === null ? '' : '!') : '✕';
    return `${device.id} ${share(device.accuracy)}${mark}`;
  });
  const what = devices.length === 0 ? 'no device yet' : `accuracy  ${parts.join('  ')}`;
  const text = `${clock(at - startedAt)}  ${what}`;
  return text.length < columns ? text : `${text.slice(0, columns - 2)}…`;
}
