import { STATUSES } from '../../device/core/messages.ts';
import { GatewayError } from '../errors.ts';
import { unlessFull } from '../full-disk.ts';
import { type Connection, connect } from '../link/connect.ts';
import type { DeviceEvent, Sample, Status } from '../link/messages.ts';
import type { Clock, Port } from '../link/port.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import type { Store } from '../store/store.ts';
import type { SampleKey } from '../store/types.ts';
import type { Task } from '../task.ts';
import type { Greeting } from './greet.ts';
import type { JournalWriter } from './journal-writer.ts';

/** Ports, and the devices behind them. */
export interface Attachments {
  /**
   * Lets a device take part, for as long as its port lives.
   *
   * @param clock of its session; default the gateway's
   * @param patient a port that cannot be opened yet is waited for, and the log says so
   * @throws GatewayError 'port' if it cannot be opened, and is not waited for
   */
  attach(port: Port, clock?: Clock, patient?: boolean): Promise<Connection>;
  /** Closes what {@link attach} gave: its device is gone, and the port is free. */
  detach(connection: Connection): Promise<void>;
  /** A device's keys were changed: what it says counts for nothing until it has proven itself anew. */
  forget(device: string): void;
  /** Bytes that a release cost on the wire, there and back; of one device, or of all. */
  wireBytes(release: number, device?: string): number;
  /** Closes all ports. */
  close(): Promise<unknown>;
}

/** What is done with what a device says. */
export interface Ears {
  /** a window, and who is told whether it is durable */
  arrive(device: string, sample: Sample, done: (kept?: boolean) => void): Promise<void>;
  /** a raw window that was asked for, and one that the device has no more */
  keep(device: string, sample: Sample): Promise<void>;
  gone(key: SampleKey): void;
  /** ranges of seqs, ends included, that it had to drop */
  lost(device: string, session: number, ranges: [number, number][]): void;
  status(device: string, status: Status): void;
  event(device: string, event: DeviceEvent): void;
}

/** Who is told of what comes over the ports. */
export interface AttachParts {
  task: Task;
  store: Pick<Store, 'keys' | 'samples'>;
  clock: Clock;
  allowWeakLink: boolean;
  /** devices that are here; is kept up to date here */
  online: Map<string, Connection>;
  greeting: Pick<Greeting, 'greet' | 'countsAs' | 'refused' | 'forget'>;
  rollouts: Pick<Rollouts, 'hello' | 'offline'>;
  ears: Ears;
  log: Pick<JournalWriter, 'write'>;
}

/** Most bytes of raw windows in a frame: a window of the task and what a sample carries beside it. */
const FRAME_BYTES = 1024;

/** @param parts who is told of what comes over the ports */
export function createAttachments(parts: AttachParts): Attachments {
  const { task, store, clock, allowWeakLink, online, greeting, rollouts, ears, log } = parts;
  const maxFrameBytes = FRAME_BYTES + task.window.samples * task.sensor.axes.length;
  const ports = new Map<Connection, () => void>();

  return {
    async attach(port, own = clock, patient = false) {
      let device = ''; // whose samples these are, for as long as they are of its session
      let isHere = false; // it said hello since the port was opened
      let session = 0;
      /** versions by releases that are none of ours: it may still hold windows of them, until it starts again */
      const foreign = new Map<number, Uint8Array>();
      let mine: Connection | undefined;
      /** The device behind this port is gone, or another one took its place. */
      const leave = (): void => {
        if (!isHere) return;
        isHere = false;
        if (online.get(device) !== mine) return;
        online.delete(device);
        unlessFull(() => rollouts.offline(device));
      };
      const counted = (sample: Sample): Sample => {
        const { release } = sample;
        const version = foreign.get(release);
        return version ? { ...sample, release: greeting.countsAs({ release, version }) } : sample;
      };
      /** A device that is told to confirm another release says what it runs: that is none of ours. */
      const isTheirs = ({ release, code }: Status): boolean =>
        foreign.has(release) && STATUSES[code as keyof typeof STATUSES] === 'confirmed';
      const ready: Promise<Connection> = connect(
        port,
        {
          async onHello(hello, suite) {
            const connection = await ready;
            // without room nobody is greeted: the device says hello again
            return unlessFull(() => {
              if (device !== hello.id) leave();
              const known = greeting.greet(hello, port, suite);
              if (known === undefined) {
                leave();
                device = '';
                return undefined;
              }
              if (device !== hello.id || session !== hello.session) foreign.clear();
              ({ id: device, session } = hello);
              isHere = true;
              mine = connection;
              online.set(device, connection);
              const { release, state } = known;
              if (release !== hello.release) foreign.set(hello.release, hello.version);
              rollouts.hello(device, { release, state });
              return store.samples.known(device, hello.session);
            });
          },
          onSample: (sample, done) =>
            device === '' ? done(false) : void ears.arrive(device, counted(sample), done),
          onWindow: (sample) => device !== '' && void ears.keep(device, counted(sample)),
          onGone: (session, seq) =>
            device !== '' && unlessFull(() => ears.gone({ device, session, seq })),
          onLost: (session, ranges) => device !== '' && ears.lost(device, session, ranges),
          onStatus: (status) => isHere && !isTheirs(status) && ears.status(device, status),
          onEvent: (event) => isHere && ears.event(device, event),
          onRefused: (refusal) => greeting.refused(refusal, port),
          onRekeyed: (of, generation) => log.write('key.rotated', of, { generation }),
          onClose: leave,
          onWaiting(why) {
            if (why === undefined) return log.write('port.opened', port.name, {});
            const reason = why instanceof GatewayError ? why.line() : why.message;
            log.write('port.waiting', port.name, { reason });
          },
        },
        {
          ...{ policy: task.send, clock: own, maxFrameBytes, keys: store.keys, patient },
          plain: port.virtual === true || allowWeakLink,
        },
      );
      ports.set(await ready, leave);
      return ready;
    },
    async detach(connection) {
      await connection.close();
      ports.get(connection)?.();
      ports.delete(connection);
    },
    forget(device) {
      for (const port of ports.keys()) port.forget(device);
      greeting.forget(device);
      if (online.delete(device)) unlessFull(() => rollouts.offline(device));
    },
    wireBytes(release, device) {
      const at = device === undefined ? [...ports.keys()] : [online.get(device)];
      return at.reduce((sum, port) => {
        const wire = port?.stats().wire.get(release);
        return sum + (wire === undefined ? 0 : wire.sent + wire.received);
      }, 0);
    },
    close: () => Promise.all([...ports.keys()].map((port) => port.close())),
  };
}
