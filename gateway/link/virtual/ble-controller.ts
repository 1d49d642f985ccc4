import { NUS, type NusPeripheral } from './nus-peripheral.ts';

/** Packet types of HCI over a UART. @source Bluetooth Core Specification 5.4, vol 4 part A, 2 */
const COMMAND = 1;
const ACL = 2;
const EVENT = 4;

const opcode = (group: number, command: number): number => (group << 10) | command;
/** Commands that a central sends. @source vol 4 part E, 7 */
const DISCONNECT = opcode(1, 6);
const CREATE = opcode(8, 0x0d);
const CANCEL = opcode(8, 0x0e);
const SCAN = opcode(8, 0x0c);
const RESET = opcode(3, 3);
/** Events. @source vol 4 part E, 7.7 */
const DISCONNECTED = 0x05;
const COMPLETE = 0x0e;
const STATUS = 0x0f;
const PACKETS_DONE = 0x13;
const LE = 0x3e;
const LE_CONNECTED = 0x01;
const LE_REPORT = 0x02;
/** Errors. @source vol 1 part F, 1.3 */
const UNKNOWN_COMMAND = 0x01;
const UNKNOWN_CONNECTION = 0x02;
const TIMED_OUT = 0x08;
const NOT_ALLOWED = 0x0c;
const BY_HOST = 0x16;
/** How it was cut off: by the peripheral, as when somebody switches it off in order. */
const BY_PERIPHERAL = 0x13;

const ATT_CHANNEL = 4;
const ADVERTISING_MS = 20;
/** Nordic's UART service, little-endian. */
const uart = Buffer.from(NUS, 'hex').reverse();
/** Packets each way in a connection event. */
const PACKETS_PER_EVENT = 4;
/** Of a packet on the air, without data length extension. */
const PAYLOAD_BYTES = 27;
/** Packets of the host that it holds. */
const BUFFERS = 8;

export interface RadioOptions {
  /** ms between two connection events; default 7.5, the shortest, which Espruino asks for */
  intervalMs?: number;
}

/**
 * A Bluetooth controller and the air around it, in this computer: HCI on one side, peripherals on
 * the other. Radio waves are a queue: packets cross at connection events, as many as fit in one,
 * none is lost, and a connection that is cut takes with it what was under way.
 */
export interface BleController {
  /** Bytes from the host. */
  receive(bytes: Uint8Array): void;
  /** A peripheral begins to advertise: until it is connected, and again when it is not. */
  add(peripheral: NusPeripheral): void;
  /** Sends bytes of a peripheral's UART; lost unless a central listens. */
  say(peripheral: NusPeripheral, bytes: Uint8Array): void;
  /** Cuts a connection, if there is one, as walking out of reach does. */
  drop(peripheral: NusPeripheral): void;
  /** A peripheral is gone: its connection is cut, and it advertises no more. */
  remove(peripheral: NusPeripheral): void;
  isConnected(peripheral: NusPeripheral): boolean;
  close(): void;
}

interface Connection {
  handle: number;
  peripheral: NusPeripheral;
  /** packets of the host that wait for the air, and of the peripheral */
  down: Buffer[];
  up: Buffer[];
  /** of the packet that the host began and did not end */
  part: Buffer;
  startMs: number;
  timer: NodeJS.Timeout | undefined;
}

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);
const reversed = (address: string): Buffer =>
  Buffer.from(address.replaceAll(':', ''), 'hex').reverse();

/**
 * Makes a controller that is on.
 *
 * @param send takes bytes for the host
 * @param options of the air
 */
export function bleController(
  send: (bytes: Uint8Array) => void,
  options: RadioOptions = {},
): BleController {
  const { intervalMs = 7.5 } = options;
  const peripherals = new Set<NusPeripheral>();
  const connections = new Map<number, Connection>();
  let input = Buffer.alloc(0);
  let isScanning = false;
  /** the address that the host wants to be connected with */
  let wanted: Buffer | undefined;
  let nextHandle = 0x40;
  const advertising = setInterval(advertise, ADVERTISING_MS);

  const event = (code: number, ...parts: Buffer[]): void => {
    const body = Buffer.concat(parts);
    send(Buffer.concat([Buffer.from([EVENT, code, body.length]), body]));
  };
  const complete = (command: number, ...result: Buffer[]): void =>
    event(COMPLETE, Buffer.from([1]), u16(command), ...result);
  const status = (command: number, code = 0): void =>
    event(STATUS, Buffer.from([code, 1]), u16(command));

  /** What a controller tells about itself, by command. */
  const facts = new Map<number, Buffer>([
    [opcode(3, 0x01), Buffer.alloc(0)], // Set Event Mask
    [opcode(3, 0x6c), Buffer.from([1, 0])], // Read LE Host Support
    [opcode(3, 0x6d), Buffer.alloc(0)], // Write LE Host Support
    [opcode(4, 0x01), Buffer.from([9, 0, 0, 9, 0xff, 0xff, 0, 0])], // version 5.0, of no maker
    [opcode(4, 0x09), reversed('f0:00:00:00:00:01')], // Read BD_ADDR
    [opcode(8, 0x01), Buffer.alloc(0)], // LE Set Event Mask
    [opcode(8, 0x02), Buffer.concat([u16(PAYLOAD_BYTES), Buffer.from([BUFFERS])])], // LE Read Buffer Size
    [opcode(8, 0x03), Buffer.alloc(8)], // LE features: none beyond the least
    [opcode(8, 0x0b), Buffer.alloc(0)], // LE Set Scan Parameters
  ]);

  function command(code: number, body: Buffer): void {
    const fact = facts.get(code);
    if (fact !== undefined) complete(code, Buffer.from([0]), fact);
    else if (code === RESET) {
      for (const connection of [...connections.values()]) end(connection);
      isScanning = false;
      wanted = undefined;
      complete(code, Buffer.from([0]));
    } else if (code === SCAN) {
      isScanning = body[0] === 1;
      complete(code, Buffer.from([0]));
    } else if (code === CREATE) {
      wanted = Buffer.from(body.subarray(6, 12));
      status(code);
    } else if (code === CANCEL) {
      complete(code, Buffer.from([wanted === undefined ? NOT_ALLOWED : 0]));
      if (wanted === undefined) return;
      wanted = undefined;
      event(LE, Buffer.from([LE_CONNECTED, UNKNOWN_CONNECTION]), Buffer.alloc(17));
    } else if (code === DISCONNECT) {
      const connection = connections.get(body.readUInt16LE(0));
      status(code, connection === undefined ? UNKNOWN_CONNECTION : 0);
      if (connection !== undefined) cut(connection, BY_HOST);
    } else complete(code, Buffer.from([UNKNOWN_COMMAND]));
  }

  function advertise(): void {
    for (const peripheral of peripherals) {
      if (connectionOf(peripheral) !== undefined) continue;
      const address = reversed(peripheral.address);
      if (wanted?.equals(address)) {
        wanted = undefined;
        connect(peripheral, address);
      } else if (isScanning) {
        // what it is, and whole 128-bit UUIDs, as Espruino advertises
        report(0, address, Buffer.concat([Buffer.from([2, 0x01, 0x06, 17, 0x07]), uart]));
        const name = Buffer.from(peripheral.name);
        report(4, address, Buffer.concat([Buffer.from([name.length + 1, 0x09]), name]));
      }
    }
  }

  function report(type: number, address: Buffer, data: Buffer): void {
    const head = Buffer.from([LE_REPORT, 1, type, 1]);
    event(LE, head, address, Buffer.from([data.length]), data, Buffer.from([-50 & 0xff]));
  }

  function connect(peripheral: NusPeripheral, address: Buffer): void {
    const handle = nextHandle++;
    peripheral.reset();
    connections.set(handle, {
      ...{ handle, peripheral, down: [], up: [], part: Buffer.alloc(0) },
      ...{ startMs: performance.now(), timer: undefined },
    });
    const timing = [u16(Math.round(intervalMs / 1.25)), u16(0), u16(400), Buffer.from([0])];
    event(LE, Buffer.from([LE_CONNECTED, 0]), u16(handle), Buffer.from([0, 1]), address, ...timing);
  }

  function end(connection: Connection): void {
    clearTimeout(connection.timer);
    connections.delete(connection.handle);
  }

  function cut(connection: Connection, reason: number): void {
    end(connection);
    event(DISCONNECTED, Buffer.from([0]), u16(connection.handle), Buffer.from([reason]));
  }

  const connectionOf = (peripheral: NusPeripheral): Connection | undefined =>
    connections.values().find((connection) => connection.peripheral === peripheral);

  /** The next connection event, if something waits for it. */
  function arm(connection: Connection): void {
    if (connection.timer !== undefined) return;
    if (connection.down.length + connection.up.length === 0) return;
    const since = performance.now() - connection.startMs;
    const due = (Math.floor(since / intervalMs) + 1) * intervalMs;
    connection.timer = setTimeout(() => {
      connection.timer = undefined;
      meet(connection);
      arm(connection);
    }, due - since);
  }

  function meet(connection: Connection): void {
    const { handle, peripheral } = connection;
    // an answer to what arrives now goes out at the next event
    const up = connection.up.splice(0, PACKETS_PER_EVENT);
    const down = connection.down.splice(0, PACKETS_PER_EVENT);
    for (const packet of up) send(packet);
    if (down.length > 0) event(PACKETS_DONE, Buffer.from([1]), u16(handle), u16(down.length));
    for (const packet of down) {
      const isStart = (packet.readUInt16LE(1) >> 12) % 4 !== 1;
      const data = packet.subarray(5);
      connection.part = isStart ? data : Buffer.concat([connection.part, data]);
      const { part } = connection;
      if (part.length < 4 || part.length < 4 + part.readUInt16LE(0)) continue;
      if (part.readUInt16LE(2) !== ATT_CHANNEL) continue;
      const answer = peripheral.answer(part.subarray(4));
      if (answer !== undefined) queue(connection, answer);
    }
  }

  /** Cuts an ATT packet into those of the air. */
  function queue(connection: Connection, pdu: Uint8Array): void {
    const whole = Buffer.concat([u16(pdu.length), u16(ATT_CHANNEL), pdu]);
    for (let at = 0; at < whole.length; at += PAYLOAD_BYTES) {
      const data = whole.subarray(at, at + PAYLOAD_BYTES);
      const flags = at === 0 ? 2 : 1;
      const head = [Buffer.from([ACL]), u16(connection.handle | (flags << 12)), u16(data.length)];
      connection.up.push(Buffer.concat([...head, data]));
    }
    arm(connection);
  }

  function take(packet: Buffer): void {
    if (packet[0] === COMMAND) {
      command(packet.readUInt16LE(1), packet.subarray(4));
      return;
    }
    const connection = connections.get(packet.readUInt16LE(1) & 0x0fff);
    if (connection === undefined) return; // it was for one that has been cut
    connection.down.push(Buffer.from(packet));
    arm(connection);
  }

  return {
    receive: (bytes) => {
      input = Buffer.concat([input, bytes]);
      for (;;) {
        const head = input[0] === ACL ? 5 : 4;
        if (input.length < head) return;
        const length = head + (input[0] === ACL ? input.readUInt16LE(3) : input[3]!);
        if (input.length < length) return;
        const packet = input.subarray(0, length);
        input = input.subarray(length);
        take(packet);
      }
    },
    add: (peripheral) => void peripherals.add(peripheral),
    say: (peripheral, bytes) => {
      const connection = connectionOf(peripheral);
      if (connection === undefined) return;
      for (const pdu of peripheral.say(bytes)) queue(connection, pdu);
    },
    drop: (peripheral) => {
      const connection = connectionOf(peripheral);
      if (connection !== undefined) cut(connection, TIMED_OUT);
    },
    remove: (peripheral) => {
      peripherals.delete(peripheral);
      const connection = connectionOf(peripheral);
      if (connection !== undefined) cut(connection, BY_PERIPHERAL);
    },
    isConnected: (peripheral) => connectionOf(peripheral) !== undefined,
    close: () => {
      clearInterval(advertising);
      for (const connection of [...connections.values()]) end(connection);
    },
  };
}
