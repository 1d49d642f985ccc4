import { type Cursor, type Decoded, decode, readRest, type Value } from '../../device/core/cbor.ts';
import { MESSAGES, type Message, type MessageName, pack } from '../../device/core/messages.ts';
import { readSample } from './read-sample.ts';

export type Hello = Message<'hello'>;
export type Sample = Message<'sample'>;
export type Want = Message<'want'>;
export type Status = Message<'status'>;
export type DeviceEvent = Message<'event'>;
export type Offer = Message<'offer'>;

/** What a device may say. */
export type DeviceMessage =
  | { name: 'hello'; body: Hello }
  | { name: 'sample'; body: Sample }
  | { name: 'want'; body: Want }
  | { name: 'status'; body: Status }
  | { name: 'event'; body: DeviceEvent };

/** What a field of each type may look like to `decode`. */
const PATTERNS = {
  i: 'i',
  I: '[in]',
  t: 't',
  b: 'b',
  B: '[bn]',
  p: '(?:\\[\\[bii\\]\\[bii\\]\\[bii\\]\\])',
};

const ROWS = new Map(
  MESSAGES.map((row) => {
    const types = Object.values(row.fields) as (keyof typeof PATTERNS)[];
    const pattern = new RegExp(`^\\[${types.map((type) => PATTERNS[type]).join('')}\\]$`);
    return [row.code as number, { row, names: Object.keys(row.fields), pattern }];
  }),
);
const CODES = new Map(MESSAGES.map((row) => [row.name as MessageName, row.code]));

/**
 * Decodes what a device sent, with names and checked types. Never throws.
 *
 * @param payload of one frame; the message keeps views of it
 * @returns the message, or undefined when it is none that a device may send
 * @example parseMessage(new Uint8Array([4, 0x83, 7, 5, 0])) // { name: 'status', body: { release: 7, code: 5, detail: 0 } }
 */
export function parseMessage(payload: Uint8Array): DeviceMessage | undefined {
  const sample = readSample(payload);
  if (sample !== undefined) return { name: 'sample', body: sample };
  const known = ROWS.get(payload[0]);
  if (known === undefined || known.row.from !== 'device') return undefined;
  const cursor: Cursor = { at: 1, shape: '', rest: readRest };
  const fields = decode(payload, cursor) as Decoded[] | undefined;
  if (fields === undefined || !known.pattern.test(cursor.shape)) return undefined;
  const body = Object.fromEntries(known.names.map((name, k) => [name, fields[k]]));
  return { name: known.row.name, body } as unknown as DeviceMessage;
}

/**
 * Encodes a message, its fields by name.
 *
 * @param name of the table
 * @param body every field of it
 * @returns the payload of one frame
 * @example composeMessage('ack', { session: 9, seq: 4 }) // new Uint8Array([17, 0x82, 9, 4])
 */
export function composeMessage<N extends MessageName>(name: N, body: Message<N>): Uint8Array {
  const code = CODES.get(name) as number;
  const names = ROWS.get(code)?.names as string[];
  return pack(
    code,
    names.map((field) => (body as Record<string, Value>)[field]),
  );
}
