import { crc32 } from 'node:zlib';
import { encodeFrame, feed, frameDecoder, plainSuite } from '../../device/core/frame.ts';
import { composeMessage, type Hello, parseMessage } from '../link/messages.ts';
import type { Port } from '../link/port.ts';
import type { FootprintModel } from './footprint-model.ts';

/** A gateway that can be made to hold back: what a device has to bear is what it is measured for. */
export interface FootprintPeer {
  hello: Hello | undefined;
  /** whether samples are acknowledged */
  acknowledges: boolean;
  /** samples received, repeated ones too */
  samples: number;
  /** chunks that are still served */
  chunksLeft: number;
  /** Says that nothing new has come: the device sends all that it has kept, at once. */
  welcome(): void;
  offer(model: FootprintModel): void;
  confirm(release: number): void;
  saw(release: number, code: number): boolean;
  /** codes of all statuses of a release */
  statuses(release: number): number[];
}

/** Everything is asked for: each embedding, each raw window. */
const POLICY = { confidentOneIn: 1, uncertainBelow: 255, rawOneIn: 1 };

/** Opens the gateway's end of a port and answers on it. */
export async function footprintPeer(port: Port): Promise<FootprintPeer> {
  const suite = plainSuite(crc32);
  const decoder = frameDecoder(4096);
  const models = new Map<number, FootprintModel>();
  const said: { release: number; code: number }[] = [];
  let acked = 0;
  let held: (() => void) | undefined;
  const send = (...message: Parameters<typeof composeMessage>): void =>
    port.write(encodeFrame(composeMessage(...message), suite.seal));
  const peer: FootprintPeer = {
    ...{ hello: undefined, acknowledges: true, samples: 0 },
    get chunksLeft() {
      return left;
    },
    set chunksLeft(count) {
      left = count;
      held?.();
      held = undefined;
    },
    welcome: () => {
      const session = peer.hello!.session;
      send('welcome', { session, time: 0, ackSeq: acked, ...POLICY });
    },
    offer: (model) => {
      models.set(model.offer.release, model);
      send('offer', model.offer);
    },
    confirm: (release) => send('confirm', { release }),
    saw: (release, code) => said.some((s) => s.release === release && s.code === code),
    statuses: (release) => said.filter((s) => s.release === release).map(({ code }) => code),
  };
  let left = Infinity;
  const take = (payload: Uint8Array): void => {
    const message = parseMessage(payload.slice());
    if (message?.name === 'hello') {
      peer.hello = message.body;
      peer.welcome();
    } else if (message?.name === 'sample') {
      peer.samples++;
      if (!peer.acknowledges) return;
      acked = message.body.seq;
      send('ack', { session: message.body.session, seq: acked });
    } else if (message?.name === 'status') said.push(message.body);
    else if (message?.name === 'want') {
      const { release, part, offset, length } = message.body;
      const serve = (): void => {
        const data = models.get(release)!.parts[part]!.slice(offset, offset + length);
        send('chunk', { release, part, offset, data });
      };
      if (left < 1) held = serve;
      else {
        left--;
        serve();
      }
    }
  };
  port.onData((bytes) => feed(decoder, bytes, suite.open, take));
  await port.open();
  return peer;
}
