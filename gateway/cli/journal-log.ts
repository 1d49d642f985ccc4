import type { Gateway, GatewayEvent } from '../calls.ts';
import type { Log } from '../log.ts';
import { sentence, toneOf } from '../ui/words.ts';

/**
 * Writes what happens into a log for machines: every event with its data, and the sentence that a
 * terminal would show.
 *
 * @param gateway that runs
 * @param log where to
 * @returns a function that ends it
 */
export async function logGateway(
  gateway: Pick<Gateway, 'call' | 'url' | 'adminToken'>,
  log: Log,
): Promise<() => void> {
  const { sentence: about, startedAt } = await gateway.call.status();
  const { url, adminToken } = gateway;
  let last = 0; // the events so far and the live ones overlap
  const tell = (event: GatewayEvent): void => {
    if (event.id <= last) return;
    last = event.id;
    const { id, kind, subject, data } = event;
    const level = toneOf(event) === 'bad' ? 'warn' : 'info';
    log[level]({ event: id, kind, subject, data }, sentence(event));
  };
  log.info({ url, ...(adminToken !== null && { adminToken }) }, about);
  const early = await gateway.call.events({ limit: 100 });
  for (const event of early) if (event.at >= startedAt) tell(event);
  return gateway.call.on('event', tell);
}
