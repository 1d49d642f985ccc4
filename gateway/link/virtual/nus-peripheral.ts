/** Nordic UART: where Espruino's Bluetooth console is. @source Nordic nRF5 SDK, ble_nus.c */
export const NUS = '6e400001b5a3f393e0a9e50e24dcca9e';
const NUS_RX = '6e400002b5a3f393e0a9e50e24dcca9e';
const NUS_TX = '6e400003b5a3f393e0a9e50e24dcca9e';

/** Opcodes of the Attribute Protocol. @source Bluetooth Core Specification 5.4, vol 3 part F, 3.4 */
const ATT = {
  error: 0x01,
  mtuRequest: 0x02,
  mtuResponse: 0x03,
  findInformation: 0x04,
  findInformationResponse: 0x05,
  readByType: 0x08,
  readByTypeResponse: 0x09,
  read: 0x0a,
  readResponse: 0x0b,
  readByGroup: 0x10,
  readByGroupResponse: 0x11,
  write: 0x12,
  writeResponse: 0x13,
  writeCommand: 0x52,
  notification: 0x1b,
} as const;

const INVALID_HANDLE = 0x01;
const NOT_SUPPORTED = 0x06;
const NOT_FOUND = 0x0a;
const WRITE_NOT_PERMITTED = 0x03;
/** Declarations, in the order of the attribute table below. */
const PRIMARY = 0x2800;
const CHARACTERISTIC = 0x2803;
const CLIENT_CONFIGURATION = 0x2902;
const DEVICE_NAME = 0x2a00;
/** Properties of a characteristic. @source vol 3 part G, 3.3.1.1 */
const CAN_READ = 0x02;
const CAN_WRITE = 0x04 | 0x08; // without and with response, as ble_nus.c has it
const CAN_NOTIFY = 0x10;
const LEAST_MTU = 23;

export interface NusOptions {
  /** 'c0:ff:ee:00:00:01' */
  address: string;
  /** what it advertises */
  name: string;
  /** largest ATT packet that it takes: 53 on a Puck.js, 131 on a Bangle.js 2 */
  mtu: number;
  /** bytes that arrive on its UART */
  onBytes: (bytes: Uint8Array) => void;
}

/** The GATT server of an Espruino: one UART. Requests in, answers out; time and radio are others'. */
export interface NusPeripheral {
  readonly address: string;
  readonly name: string;
  /** Answers a request; undefined where none is due. */
  answer(pdu: Uint8Array): Uint8Array | undefined;
  /** Notifications with bytes of its UART; none before a central has subscribed. */
  say(bytes: Uint8Array): Uint8Array[];
  /** A new connection begins: nobody has subscribed, packets are of the least length. */
  reset(): void;
}

interface Attribute {
  type: Buffer;
  value: Buffer;
  /** last handle of the group that a service declaration opens */
  end?: number;
  canWrite?: boolean;
}

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);
const uuid = (hex: string): Buffer => Buffer.from(hex, 'hex').reverse();

/** @param options see NusOptions */
export function nusPeripheral({ address, name, mtu, onBytes }: NusOptions): NusPeripheral {
  const declare = (properties: number, handle: number, id: Buffer): Attribute => ({
    type: u16(CHARACTERISTIC),
    value: Buffer.concat([Buffer.from([properties]), u16(handle), id]),
  });
  // handle n is at n - 1
  const table: Attribute[] = [
    { type: u16(PRIMARY), value: u16(0x1800), end: 3 },
    declare(CAN_READ, 3, u16(DEVICE_NAME)),
    { type: u16(DEVICE_NAME), value: Buffer.from(name) },
    { type: u16(PRIMARY), value: uuid(NUS), end: 0xffff },
    declare(CAN_WRITE, 6, uuid(NUS_RX)),
    { type: uuid(NUS_RX), value: Buffer.alloc(0), canWrite: true },
    declare(CAN_NOTIFY, 8, uuid(NUS_TX)),
    { type: uuid(NUS_TX), value: Buffer.alloc(0) },
    { type: u16(CLIENT_CONFIGURATION), value: u16(0), canWrite: true },
  ];
  const [rx, tx, configuration] = [6, 8, 9];
  let effective = LEAST_MTU;

  const refuse = (opcode: number, handle: number, why: number): Buffer =>
    Buffer.concat([Buffer.from([ATT.error, opcode]), u16(handle), Buffer.from([why])]);

  /** Attributes of one type in a range, as a list of entries of equal length, as many as fit. */
  function list(
    pdu: Buffer,
    opcode: number,
    entry: (handle: number, attribute: Attribute) => Buffer,
  ): Buffer {
    const [from, to, type] = [pdu.readUInt16LE(1), pdu.readUInt16LE(3), pdu.subarray(5)];
    const entries: Buffer[] = [];
    for (let handle = from; handle <= Math.min(to, table.length); handle++) {
      const attribute = table[handle - 1]!;
      if (!attribute.type.equals(type)) continue;
      const next = entry(handle, attribute);
      const [first = next] = entries;
      if (next.length !== first.length) break;
      if (2 + (entries.length + 1) * first.length > effective) break;
      entries.push(next);
    }
    const [first] = entries;
    if (first === undefined) return refuse(pdu[0]!, from, NOT_FOUND);
    return Buffer.concat([Buffer.from([opcode, first.length]), ...entries]);
  }

  function write(handle: number, value: Buffer): number {
    const attribute = table[handle - 1];
    if (attribute === undefined) return INVALID_HANDLE;
    if (!attribute.canWrite) return WRITE_NOT_PERMITTED;
    if (handle === configuration) attribute.value = Buffer.from(value);
    if (handle === rx) onBytes(Uint8Array.from(value));
    return 0;
  }

  return {
    address,
    name,
    reset: () => {
      effective = LEAST_MTU;
      table[configuration - 1]!.value = u16(0);
    },
    say: (bytes) => {
      if (table[configuration - 1]!.value[0] !== 1) return [];
      const room = effective - 3;
      return Array.from({ length: Math.ceil(bytes.length / room) }, (_, i) =>
        Buffer.concat([
          Buffer.from([ATT.notification]),
          u16(tx),
          bytes.subarray(i * room, (i + 1) * room),
        ]),
      );
    },
    answer: (bytes) => {
      const pdu = Buffer.from(bytes);
      const opcode = pdu[0]!;
      if (opcode === ATT.mtuRequest) {
        effective = Math.max(LEAST_MTU, Math.min(mtu, pdu.readUInt16LE(1)));
        return Buffer.concat([Buffer.from([ATT.mtuResponse]), u16(mtu)]);
      }
      if (opcode === ATT.readByGroup) {
        return list(pdu, ATT.readByGroupResponse, (handle, { value, end = handle }) =>
          Buffer.concat([u16(handle), u16(end), value]),
        );
      }
      if (opcode === ATT.readByType) {
        return list(pdu, ATT.readByTypeResponse, (handle, { value }) =>
          Buffer.concat([u16(handle), value]),
        );
      }
      if (opcode === ATT.findInformation) {
        const handle = pdu.readUInt16LE(1);
        const type = table[handle - 1]?.type;
        if (type === undefined) return refuse(opcode, handle, NOT_FOUND);
        const format = Buffer.from([ATT.findInformationResponse, type.length === 2 ? 1 : 2]);
        return Buffer.concat([format, u16(handle), type]);
      }
      if (opcode === ATT.read) {
        const handle = pdu.readUInt16LE(1);
        const value = table[handle - 1]?.value;
        if (value === undefined) return refuse(opcode, handle, INVALID_HANDLE);
        return Buffer.concat([Buffer.from([ATT.readResponse]), value.subarray(0, effective - 1)]);
      }
      if (opcode === ATT.write || opcode === ATT.writeCommand) {
        const handle = pdu.readUInt16LE(1);
        const wrong = write(handle, pdu.subarray(3));
        if (opcode === ATT.writeCommand) return undefined;
        return wrong > 0 ? refuse(opcode, handle, wrong) : Buffer.from([ATT.writeResponse]);
      }
      // commands have bit 6 and get no answer; neither have confirmations and notifications
      return opcode & 0x40 || opcode % 2 === 1 ? undefined : refuse(opcode, 0, NOT_SUPPORTED);
    },
  };
}
