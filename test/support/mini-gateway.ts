import { crc32 } from 'node:zlib';
import { decode } from 'cbor-x';
import type { Value } from '../../device/core/cbor.ts';
import {
  encodeFrame,
  feed,
  frameDecoder,
  plainSuite,
  type Suite,
} from '../../device/core/frame.ts';
import {
  ACK,
  CHUNK,
  CONFIRM,
  EVENT,
  HELLO,
  OFFER,
  pack,
  REVERT,
  SAMPLE,
  STATUS,
  WANT,
  WELCOME,
} from '../../device/core/messages.ts';
import { kindOf } from '../../device/kind.ts';
import type { TinyModel } from '../../gateway/bench/faults/tiny-model.ts';
import type { Port } from '../../gateway/link/port.ts';

/** The least that a device needs of a gateway: welcomes, acknowledges, serves chunks. */
export interface MiniGateway {
  /** [release, code, detail] of every status */
  statuses: number[][];
  /** fields of every hello and sample */
  hellos: Value[][];
  events: number[][];
  samples: Value[][];
  wants: number[][];
  /**
   * Offers a model for the board and task of the newest hello.
   *
   * @throws Error before there is one: a device takes no model that is for another
   */
  offer(model: TinyModel): void;
  confirm(release: number): void;
  revert(release: number): void;
  send(code: number, fields: Value[]): void;
  /** chunks are served for these models, by release; false stops serving */
  serve: boolean;
}

/** Puts a gateway on the other end of a port. */
export async function miniGateway(
  port: Port,
  suite: Suite = plainSuite(crc32),
): Promise<MiniGateway> {
  const decoder = frameDecoder(4096);
  const models = new Map<number, TinyModel>();
  const send = (code: number, fields: Value[]): void =>
    port.write(encodeFrame(pack(code, fields), suite.seal));
  const gateway: MiniGateway = {
    statuses: [],
    hellos: [],
    events: [],
    send,
    samples: [],
    wants: [],
    serve: true,
    offer: (model) => {
      const hello = gateway.hellos.at(-1);
      if (hello === undefined) throw new Error('offered before any hello: wait for one');
      models.set(model.offer[0], model);
      const kind = kindOf(`${hello[5]}`, `${hello[6]}`);
      send(OFFER, model.offer.with(7, kind) as unknown as Value[]);
    },
    confirm: (release) => send(CONFIRM, [release]),
    revert: (release) => send(REVERT, [release]),
  };
  const take = (payload: Uint8Array): void => {
    const fields = decode(payload.slice(1)) as Value[];
    const code = payload[0];
    if (code === HELLO) {
      gateway.hellos.push(fields);
      send(WELCOME, [fields[1], 1, 0, 1, 0, 0]);
    } else if (code === SAMPLE) {
      gateway.samples.push(fields);
      send(ACK, [fields[0], fields[1]]);
    } else if (code === EVENT) gateway.events.push(fields as number[]);
    else if (code === STATUS) gateway.statuses.push(fields as number[]);
    else if (code === WANT) {
      const [release, part, offset, length] = fields as number[];
      gateway.wants.push([release, part, offset, length]);
      const bytes = models.get(release)?.parts[part];
      if (gateway.serve && bytes !== undefined) {
        send(CHUNK, [release, part, offset, bytes.slice(offset, offset + length)]);
      }
    }
  };
  port.onData((bytes) => feed(decoder, bytes, (sealed) => suite.open(sealed), take));
  await port.open();
  return gateway;
}
