import { CONFIRMED, TRIAL } from '../../../device/core/update.ts';
import { GatewayError } from '../../errors.ts';
import { type Connection, connect } from '../../link/connect.ts';
import type { KeyRing } from '../../link/keys.ts';
import type { Status } from '../../link/messages.ts';
import type { Task } from '../../task.ts';
import type { CountedPort } from './paced-port.ts';
import type { UpdateModel } from './update-model.ts';

/** What one update cost. */
export interface Cost {
  /** frames of the update, whole, there and back: offer, wants, chunks, statuses, confirmation */
  updateBytes: number;
  /** everything on the port from the offer to the last status: the device greets anew, twice */
  allBytes: number;
  /** until the device runs the new model, and until that is confirmed */
  trialMs: number;
  confirmedMs: number;
}

/** A gateway's end of a link with one device, which it updates. */
export interface Deliverer {
  /** Offers a model, and confirms it as soon as it is on trial. */
  deliver(model: UpdateModel): Promise<Cost>;
  close(): Promise<void>;
}

/** A status, as the device said it or as its hello told it; `at` in ms. */
interface Heard {
  status: Status;
  at: number;
}

/** Statuses from which on an update is not to be. */
const FAILED = new Set([6, 7, 8, 9, 10, 11, 13]);
const PATIENCE_MS = 60_000;

/**
 * Connects with a device and waits until it has said hello.
 *
 * @param keys of the device, for a board that has some
 * @throws GatewayError 'port' if it does not within a minute
 */
export async function deliverer(
  port: CountedPort,
  task: Task,
  keys: KeyRing | undefined,
): Promise<Deliverer> {
  let wake: () => void = () => {};
  let greeted = 0;
  const statuses: Heard[] = [];
  const connection: Connection = await connect(
    port,
    {
      onHello: () => {
        greeted++;
        wake();
        return { ackSeq: 0, beyond: [] };
      },
      onStatus: (status) => {
        statuses.push({ status, at: performance.now() });
        wake();
      },
      onSample: (_, done) => done(),
      ...{ onWindow: () => {}, onGone: () => {}, onLost: () => {}, onEvent: () => {} },
      onClose: () => {},
    },
    keys === undefined ? { policy: task.send, plain: true } : { policy: task.send, keys },
  );

  async function until<T>(find: () => T | undefined, what: string): Promise<T> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const left = end - performance.now();
      if (left <= 0) throw new GatewayError('port', `${port.name}: ${what} did not come`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  await until(() => greeted || undefined, 'a hello');
  return {
    deliver: async (model) => {
      const { release } = model.offer;
      const of = (code: number) => () => {
        const bad = statuses.find(({ status: s }) => s.release === release && FAILED.has(s.code));
        if (bad) throw new GatewayError('bad-model', `an update failed: status ${bad.status.code}`);
        return statuses.find(({ status: s }) => s.release === release && s.code === code)?.at;
      };
      const { sent, received } = port.bytes;
      const begun = performance.now();
      connection.offer(model.offer, model.parts);
      const trial = await until(of(TRIAL), 'a trial');
      connection.confirm(release);
      const confirmed = await until(of(CONFIRMED), 'a confirmation');
      // its hello has told so first; the status itself is behind it, and costs as well
      const isTold = ({ status: s }: Heard) => s.release === release && s.code === CONFIRMED;
      await until(() => statuses.filter(isTold).length > 1 || undefined, 'the last status');
      const wire = connection.stats().wire.get(release)!;
      return {
        updateBytes: wire.sent + wire.received,
        allBytes: port.bytes.sent - sent + port.bytes.received - received,
        trialMs: trial - begun,
        confirmedMs: confirmed - begun,
      };
    },
    close: () => connection.close(),
  };
}
